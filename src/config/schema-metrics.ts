import { z } from "zod";
import { SECTION_MESSAGE, text } from "./fields.ts";

const PUSH_URL_MESSAGE = "must be an address such as http://pushgateway.example.com:9091";

/** Where a run by hand or by a timer leaves its metrics; a daemon is asked for them. */
export const metricsSchema = z.strictObject(
  {
    path: text()
      .optional()
      .describe(
        "File to which a sync or release by hand, by a timer or by a cron job writes the metrics at its end, for the textfile collector of Prometheus' node exporter (a name that ends with .prom). Everybody may read it: it holds numbers, and nothing of people.",
      ),
    pushUrl: text(PUSH_URL_MESSAGE)
      .refine(isWebAddress, { error: PUSH_URL_MESSAGE })
      .optional()
      .describe(
        "Address of a Prometheus Pushgateway that gets the same at the end of such a run, as the job azure-lattice-sync and the instance notify.instance.",
      ),
  },
  { error: SECTION_MESSAGE },
);

function isWebAddress(value: string): boolean {
  const url = URL.parse(value);
  if (url === null || url.username !== "" || url.search !== "" || url.hash !== "") return false;
  return url.protocol === "https:" || url.protocol === "http:";
}
