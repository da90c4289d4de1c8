import type { EventKind } from "../domain/event.ts";
import type { Secret } from "../domain/secret.ts";

/** Whom to tell, and of what. Addresses are secrets: those of chat services carry the right to write there. */
export type Receiver = {
  /** Unique; in messages and in the outbox. */
  readonly name: string;
  readonly events: readonly EventKind[];
  /** Whether people are shown by id alone, or with user names and with reasons in full. */
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

/** The dead-man's ping: a service that raises the alarm itself when nothing comes. */
export interface Ping {
  readonly url: Secret;
  readonly method: "GET" | "POST";
  /** Whether a cycle that did not end well is told at once, at the same address with `/fail` behind it. */
  readonly failures: boolean;
}

export interface NotifySettings {
  /** Names this installation in each message. */
  readonly instance: string;
  /** Origin under which browsers reach the dashboard: messages link to its pages. */
  readonly dashboard?: string | undefined;
  readonly receivers: readonly Receiver[];
  readonly ping: Ping | null;
}
