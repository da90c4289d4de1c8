export interface RetryRecord {
  /** Attributes that were refused while the rest of the person was sent: these wait, and nothing else; all where absent. */
  readonly paths?: readonly string[] | undefined;
  readonly objectId: string;
  readonly attempts: number;
  readonly firstFailedAt: number;
  readonly lastFailedAt: number;
  readonly nextTryAt: number;
  readonly code: string;
  readonly message: string;
}
