import type { PlanView, Write } from "./view.ts";
export async function writeHtml(_view: PlanView, _write: Write): Promise<void> {}
