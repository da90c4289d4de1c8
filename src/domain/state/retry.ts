export interface RetryRecord {
  /** Attributes that were refused while the rest was sent: only these wait. Absent: the whole person waits. */
  readonly paths?: readonly string[] | undefined;
  readonly objectId: string;
  readonly attempts: number;
  readonly firstFailedAt: number;
  readonly lastFailedAt: number;
  readonly nextTryAt: number;
  readonly code: string;
  readonly message: string;
}
