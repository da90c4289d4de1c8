import { BlockList, isIP } from "node:net";
import { z } from "zod";
import { choice, secret, sectionMessage, text } from "./fields.ts";
import { parseListen } from "./listen.ts";

const listenMessage =
  "must be an address and port such as 127.0.0.1:9464 or [::1]:9464, or unix: and the path of a socket";
const headerMessage = "must be the name of a header such as X-Forwarded-User";
const anyClientMessage =
  "must be a header that only the proxy sets, such as X-Forwarded-User, not one that browsers or proxies send anyway";
const addressMessage = "must be an IP address or a network such as 10.1.0.0/16, or unix";
const wideNetworkMessage =
  "must be the proxies' own addresses, not a network that covers most of the internet";
const publicUrlMessage = "must be a URL without a path or a user name, such as https://sync.example.com";
const hostMessage =
  "must be a host name or an IP address, such as sync.example.com, without https:// and without a port";

/** Headers that browsers, clients of any kind or proxies send for reasons of their own. */
const notAnIdentity =
  /^(?:host|connection|keep-alive|te|trailers?|transfer-encoding|upgrade(?:-.*)?|proxy-.*|accept(?:-.*)?|content-.*|sec-.*|access-control-.*|if-.*|cookie2?|origin|referer|user-agent|authorization|forwarded|x-forwarded-(?:for|host|port|proto|scheme|server|prefix|ssl|uri|method)|x-real-ip|x-requested-.*|via|date|dnt|expect|from|range|cache-control|pragma|priority|purpose|device-memory|downlink|ect|rtt|save-data|viewport-width|width|dpr|last-event-id|max-forwards|early-data|traceparent|tracestate|x-request-id)$/i;

/** The daemon's own HTTP: its address, its users, and its host names. */
export const httpSchema = z
  .strictObject(
    {
      listen: text(listenMessage)
        .transform((value, context) => {
          const listen = parseListen(value);
          if (listen !== null) return listen;
          context.addIssue({ code: "custom", message: listenMessage, input: value });
          return z.NEVER;
        })
        .prefault("127.0.0.1:9464")
        .describe(
          "Address and port of the daemon's HTTP server: dashboard, API, health, metrics. An address other than loopback needs token or trustedHeader. It can also be a Unix socket (unix:/run/azure-lattice-sync/http.sock): its owner and group may open it and need no token.",
        ),
      token: secret(16)
        .optional()
        .describe(
          "Token for the dashboard, the API and /metrics: at sign-in, or as a bearer token. At least 16 characters. Prefer ALS_HTTP_TOKEN_FILE.",
        ),
      local: choice(["token", "open"])
        .optional()
        .describe(
          "Sign-in on a loopback address without http.token and trustedHeader: token (a random one, made at the first start, in the file http-token next to the database) or open (none: every user of this machine has access). Default: token; with --sandbox open, because its people are made up.",
        ),
      trustedHeader: text(headerMessage)
        .regex(/^[A-Za-z0-9-]+$/, { error: headerMessage })
        .refine((name) => !notAnIdentity.test(name), { error: anyClientMessage })
        .optional()
        .describe(
          "Header in which a reverse proxy names the person it has signed in. Accepted only from trustedProxies; the proxy must remove this header from what clients send.",
        ),
      trustedProxies: z
        .array(
          text(addressMessage)
            .refine(isAddressOrNetwork, { error: addressMessage, abort: true })
            .refine((network) => !isTooWide(network), { error: wideNetworkMessage }),
          { error: "must be a list of addresses" },
        )
        .prefault([])
        .describe(
          "Addresses or networks of the reverse proxies; unix stands for every process that connects to the Unix socket of listen. trustedHeader and X-Forwarded-For (the client's address) are accepted from these only.",
        ),
      publicUrl: text(publicUrlMessage)
        .refine(isWebOrigin, { error: publicUrlMessage })
        .transform((value) => new URL(value).origin)
        .optional()
        .describe(
          "URL at which browsers reach the dashboard, if it is behind a proxy. Notifications link to it. With https:// the session cookie is sent only over encrypted connections.",
        ),
      hosts: z
        .array(
          text(hostMessage)
            .refine(isHost, { error: hostMessage })
            .transform((host) => host.toLowerCase()),
          { error: "must be a list of host names" },
        )
        .prefault([])
        .describe(
          "More host names at which browsers reach the dashboard. It answers to loopback names, the address of listen, the machine's own name, publicUrl and these. A request for any other name needs the token as a bearer token.",
        ),
    },
    { error: sectionMessage },
  )
  .superRefine(({ trustedHeader, trustedProxies }, context) => {
    if (trustedHeader === undefined || trustedProxies.length > 0) return;
    context.addIssue({
      code: "custom",
      path: ["trustedProxies"],
      message:
        "is missing: http.trustedHeader is accepted only from the proxies that http.trustedProxies names",
      input: undefined,
    });
  });

function isAddressOrNetwork(value: string): boolean {
  if (value === "unix") return true;
  const [address = "", bits, ...rest] = value.split("/");
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

/** The widest private networks are 10.0.0.0/8 and fc00::/7. An IPv6 network can hold all of IPv4 (`::ffff:0:0/96`). */
function isTooWide(value: string): boolean {
  const [address = "", bits] = value.split("/");
  if (bits === undefined) return /^[0:.]+$/.test(address);
  const size = Number(bits);
  if (isIP(address) === 4) return size < 8;
  if (size < 7) return true;
  const network = new BlockList();
  network.addSubnet(address, size, "ipv6");
  return size < 104 && network.check("::ffff:0:0", "ipv6");
}

function isHost(value: string): boolean {
  return (
    isIP(value) !== 0 || /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]*[a-z0-9])?(?:\.[a-z0-9_-]+)*$/i.test(value)
  );
}

function isWebOrigin(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const url = new URL(value);
  const bare = url.pathname === "/" && url.search === "" && url.hash === "";
  const anonymous = url.username === "" && url.password === "";
  return bare && anonymous && (url.protocol === "https:" || url.protocol === "http:");
}
