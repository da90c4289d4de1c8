import type { EventKind } from "../domain/event.ts";
import type { Secret } from "../domain/secret.ts";

/** A receiver and its events. Addresses are secrets: those of chat services carry the right to write there. */
export type Receiver = {
  /** Unique; in messages and in the outbox. */
  readonly name: string;
  readonly events: readonly EventKind[];
  /** People are shown by id only, or with user names and full reasons. */
  readonly people: "ids" | "names";
} & (
  | { readonly kind: "webhook"; readonly url: Secret; readonly secret: Secret }
  | { readonly kind: "slack" | "teams"; readonly url: Secret }
  | {
      readonly kind: "email";
      readonly smtp: SmtpServer;
      readonly from: string;
      readonly to: readonly string[];
    }
);

export interface SmtpServer {
  readonly host: string;
  readonly port: number;
  /** `starttls`: required, not only offered. `none`: on loopback alone. */
  readonly tls: "starttls" | "implicit" | "none";
  readonly user: string | undefined;
  readonly password: Secret | undefined;
}

/** The dead-man's ping: a service that raises an alarm itself if no ping comes. */
export interface Ping {
  readonly url: Secret;
  readonly method: "GET" | "POST";
  /** `true`: a failed cycle is reported at once, to the same address with `/fail` appended. */
  readonly failures: boolean;
}

export interface NotifySettings {
  /** Names this installation in each message. */
  readonly instance: string;
  /** Names the job in each message, if the configuration has `jobs`. */
  readonly job?: string | undefined;
  /** Origin under which browsers reach the dashboard: messages link to its pages. */
  readonly dashboard?: string | undefined;
  readonly receivers: readonly Receiver[];
  readonly ping: Ping | null;
}
