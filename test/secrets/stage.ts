import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { type Sandbox, startSandbox } from "../../src/sandbox/sandbox.ts";
import { type Answer, type Front, type Passing, startFront } from "../process/front.ts";
import { type Ended, makeWorkplace, type RealProcess, type Workplace } from "../process/real-process.ts";
import { formsOf, sentinels } from "./sentinels.ts";

export type HostName = "login" | "graph" | "lattice" | "third" | "receiver";

/** The embedded ends behind four hosts that write down what they are asked, and a place for processes. */
export interface Stage extends AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly place: Workplace;
  readonly hosts: Readonly<Record<HostName, Front>>;
  /** Answers in place of a host, asked by what it is asked. */
  answers: ((host: HostName, request: Passing) => Answer | undefined) | undefined;
  /** Runs the command line to its end and keeps what it said. */
  run(args: readonly string[], environment?: Readonly<Record<string, string>>): Promise<Ended>;
  start(args: readonly string[], environment?: Readonly<Record<string, string>>): RealProcess;
  /** Keeps a further text that must hold no secret. */
  keep(where: string, text: string): void;
  /** The places of each secret that was found: output, files, requests to a host that must not have it. */
  leaks(): readonly string[];
  /** The number of requests that a host got, or of those for paths that begin so. */
  asked(host: HostName, prefix?: string): number;
}

export async function setStage(changes: { readonly [section: string]: object } = {}): Promise<Stage> {
  const stack = new AsyncDisposableStack();
  const sandbox = await startSandbox({ file: ":memory:", people: 20, seed: 9 });
  stack.defer(() => sandbox.close());
  const place = stack.use(makeWorkplace());
  const [login, graph, lattice, third, receiver] = await Promise.all([
    startFront(sandbox.graphUrl),
    startFront(sandbox.graphUrl),
    startFront(new URL(sandbox.latticeUrl).origin),
    startFront(null),
    startFront(null),
  ]);
  const hosts = { login, graph, lattice, third, receiver };
  for (const host of Object.values(hosts)) stack.use(host);
  const requests: { readonly host: HostName; readonly request: Passing }[] = [];
  const texts: { readonly where: string; readonly text: string }[] = [];
  const tokens = new Set<string>();

  for (const name of ["login", "graph", "lattice", "third", "receiver"] as const) {
    hosts[name].before = (request) => {
      requests.push({ host: name, request });
      // Receivers of notifications always repeat what they were sent.
      if (name === "receiver") return { status: 400, body: saidBack(request) };
      return stage.answers?.(name, request);
    };
  }
  // The sandbox has secrets of its own making; the front hands them in, and the process knows the sentinels alone.
  login.rewrite = (request) => {
    const form = new URLSearchParams(request.body);
    if (form.get("client_secret") === sentinels.clientSecret) form.set("client_secret", sandbox.clientSecret);
    return { ...request, body: form.toString() };
  };
  login.after = (_, { body }) => {
    const token = /"access_token":"([^"]+)"/.exec(body)?.[1];
    // The part that makes it valuable is searched for separately too.
    if (token !== undefined) tokens.add(token).add(token.split(".").at(-1) ?? token);
  };
  lattice.rewrite = (request) => ({
    ...request,
    headers: {
      ...request.headers,
      ...(request.headers.authorization === `Bearer ${sentinels.latticeKey}`
        ? { authorization: `Bearer ${sandbox.latticeToken}` }
        : {}),
    },
  });

  const config = {
    entra: {
      tenantId: sandbox.tenantId,
      clientId: sandbox.clientId,
      authorityHost: login.origin,
      graphUrl: graph.origin,
      scope: { mode: "all" },
      ...changes.entra,
    },
    lattice: {
      url: `${lattice.origin}/scim/v2`,
      maxRequestsPerSecond: null,
      timeout: "5s",
      ...changes.lattice,
    },
    state: { path: place.statePath },
    http: { listen: "127.0.0.1:0", token: sentinels.httpToken },
    log: { level: "trace" },
    notify: {
      receivers: [
        { kind: "webhook", url: `${receiver.origin}/hook/${sentinels.address}`, secret: sentinels.signing },
        ...(["slack", "teams"] as const).map((kind) => ({
          kind,
          url: `${receiver.origin}/${sentinels.address}`,
        })),
        {
          kind: "email",
          smtp: { host: "127.0.0.1", port: 1, user: "u", password: sentinels.smtpPassword },
          from: "sync@example.com",
          to: ["it@example.com"],
        },
      ],
      ping: { url: `${receiver.origin}/ping?key=${sentinels.address}`, failures: true },
    },
    ...changes.rest,
  };
  const file = place.configure(config, "given.yaml");
  const start: Stage["start"] = (args, environment = {}) => {
    const process = place.start(args, {
      LOG_LEVEL: "trace",
      ALS_CONFIG: file,
      AZURE_CLIENT_SECRET: sentinels.clientSecret,
      LATTICE_API_KEY: sentinels.latticeKey,
      ...environment,
    });
    void process.ended.then(({ stdout, stderr }) => {
      texts.push({ where: `stdout of ${args.join(" ")}`, text: stdout });
      texts.push({ where: `stderr of ${args.join(" ")}`, text: stderr });
    });
    return process;
  };

  const stage: Stage = {
    sandbox,
    place,
    hosts,
    answers: undefined,
    run: async (args, environment) => start(args, environment).ended,
    start,
    keep: (where, text) => texts.push({ where, text }),
    leaks: () => {
      const secrets = [...Object.values(sentinels), ...tokens];
      const shown = [...texts, ...filesOf(place.folder)].flatMap(({ where, text }) =>
        secrets.flatMap((secret) => found(text, secret).map((form) => `${where} holds ${form}`)),
      );
      return [...new Set([...shown, ...astray(requests, tokens)])];
    },
    asked: (host, prefix = "") =>
      requests.filter((entry) => entry.host === host && entry.request.path.startsWith(prefix)).length,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
  return stage;
}

function saidBack({ path, headers, body }: Passing): string {
  return [path, decodeURIComponent(path), headers["webhook-signature"], body].join(" ").slice(0, 5_000);
}

/** The form of the secret in the text, with the text before it. */
export function found(text: string, secret: string): readonly string[] {
  return formsOf(secret).flatMap((form) => {
    const at = text.indexOf(form);
    return at === -1 ? [] : [`"${text.slice(Math.max(0, at - 60), at + form.length)}"`];
  });
}

/** The parts of a request that reveal more than its host may know. */
function astray(
  requests: readonly { readonly host: HostName; readonly request: Passing }[],
  tokens: ReadonlySet<string>,
): readonly string[] {
  return requests.flatMap(({ host, request: { method, path, headers, body } }) => {
    const { authorization, ...others } = headers;
    const rest = JSON.stringify(others) + path;
    const places = { authorization: authorization ?? "", body, rest };
    const allowed = (place: keyof typeof places, secret: string): boolean =>
      (place === "body" && host === "login" && secret === sentinels.clientSecret) ||
      (place === "authorization" && host === "lattice" && secret === sentinels.latticeKey) ||
      (place === "authorization" && host === "graph" && tokens.has(secret)) ||
      (place === "rest" && host === "receiver" && secret === sentinels.address);
    return [...Object.values(sentinels), ...tokens].flatMap((secret) =>
      (["authorization", "body", "rest"] as const).flatMap((place) =>
        !allowed(place, secret) && found(places[place], secret).length > 0
          ? [`${host} was told a secret in the ${place} of ${method} ${path.slice(0, 60)}`]
          : [],
      ),
    );
  });
}

/** Everything that processes have left in the folder: databases with their logs, reports. Files that were given to them are left out. */
function filesOf(folder: string): readonly { readonly where: string; readonly text: string }[] {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile() && !entry.name.startsWith("given"));
  expect(names.length).toBeGreaterThan(0);
  return files.map((entry) => ({
    where: entry.name,
    text: readFileSync(join(entry.parentPath, entry.name), "latin1"),
  }));
}
