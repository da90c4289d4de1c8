import type { GuardVerdict } from "../domain/plan.ts";
import type { GuardLimits } from "./settings.ts";

/**
 * Weighs a plan before it is sent: too many deactivations hold all of them back, not the first few.
 * @param counts.linkedActive accounts that are linked and active before the plan
 */
export function weighPlan(
  counts: { readonly deactivations: number; readonly linkedActive: number },
  limits: GuardLimits,
): GuardVerdict {
  const { deactivations, linkedActive } = counts;
  if (!limits.enabled || deactivations <= limits.deactivationFloor) return { held: false, reasons: [] };
  const reasons: string[] = [];
  const percent = linkedActive === 0 ? 100 : (deactivations / linkedActive) * 100;
  const all = `${deactivations} of ${linkedActive} active accounts would be deactivated`;
  if (deactivations > limits.maxDeactivations) {
    reasons.push(`${all}, more than guard.maxDeactivations (${limits.maxDeactivations})`);
  }
  if (percent > limits.maxDeactivationPercent) {
    reasons.push(
      `${all} (${percent.toFixed(1)} %), more than guard.maxDeactivationPercent (${limits.maxDeactivationPercent} %)`,
    );
  }
  return { held: reasons.length > 0, reasons };
}
