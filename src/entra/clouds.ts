/** The sign-in and Graph origins of one of Microsoft's clouds. */
export interface Cloud {
  /** Origin of the Entra authority. */
  readonly authorityHost: string;
  /** Origin of Microsoft Graph. */
  readonly graphUrl: string;
}

/**
 * Microsoft's clouds by the name used for `entra.cloud`. Tokens of one are not accepted by another.
 * Source: Microsoft Graph documentation, "National cloud deployments".
 */
export const clouds = {
  global: { authorityHost: "https://login.microsoftonline.com", graphUrl: "https://graph.microsoft.com" },
  usgov: { authorityHost: "https://login.microsoftonline.us", graphUrl: "https://graph.microsoft.us" },
  dod: { authorityHost: "https://login.microsoftonline.us", graphUrl: "https://dod-graph.microsoft.us" },
  china: {
    authorityHost: "https://login.chinacloudapi.cn",
    graphUrl: "https://microsoftgraph.chinacloudapi.cn",
  },
} as const satisfies Record<string, Cloud>;

const microsoftAuthorities: ReadonlySet<string> = new Set([
  ...Object.values(clouds).map((cloud) => cloud.authorityHost),
  "https://login.partner.microsoftonline.cn",
  "https://login.microsoft.com",
  "https://login.windows.net",
  "https://sts.windows.net",
]);

/**
 * Whether Microsoft runs the authority at `origin`. For any other, @azure/identity must be told to skip instance discovery;
 * otherwise it fails before it sends a request to the authority.
 */
export function isMicrosoftAuthority(origin: string): boolean {
  return microsoftAuthorities.has(origin);
}
