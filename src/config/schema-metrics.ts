import { z } from "zod";
import { sectionMessage, text } from "./fields.ts";

const pushUrlMessage = "must be a URL such as http://pushgateway.example.com:9091";

/** The places for the metrics of a run that a person or a timer started. A daemon offers them over HTTP instead. */
export const metricsSchema = z.strictObject(
  {
    path: text()
      .optional()
      .describe(
        "File to which a sync or release outside the daemon (by hand, by a timer or by a cron job) writes its metrics at its end, for the textfile collector of Prometheus' node exporter. The name must end in .prom. The file can be read by every user: it holds numbers only, no data about people.",
      ),
    pushUrl: text(pushUrlMessage)
      .refine(isWebAddress, { error: pushUrlMessage })
      .optional()
      .describe(
        "URL of a Prometheus Pushgateway that receives the same metrics at the end of such a run, with the job azure-lattice-sync and the instance notify.instance.",
      ),
  },
  { error: sectionMessage },
);

function isWebAddress(value: string): boolean {
  const url = URL.parse(value);
  if (url === null || url.username !== "" || url.search !== "" || url.hash !== "") return false;
  return url.protocol === "https:" || url.protocol === "http:";
}
