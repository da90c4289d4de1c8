import { describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { isExposed, type StatePlace, statePlaceOf } from "../../src/job/state-place.ts";
import { workplace } from "../config/workplace.ts";

function placeAt(url: string, embedded?: "both"): StatePlace {
  const { config } = loadConfig({ env: { ALS_STATE_URL: url }, cwd: workplace({}) });
  return statePlaceOf(config, "default", embedded);
}

describe("the place of a job's state", () => {
  it("is called by its host and database in messages, without user and password", () => {
    expect(placeAt("postgres://als:pass-word-1@db.example.com:6432/als").name).toBe(
      "db.example.com:6432/als",
    );
  });

  it("is a file for a rehearsal, wherever the job has its state", () => {
    expect(placeAt("postgres://db.example.com/als", "both")).toMatchObject({ kind: "file" });
  });

  it.each([
    ["postgres://db.example.com/als", true],
    ["postgres://db.example.com/als?sslmode=disable", true],
    ["postgres://db.example.com/als?sslmode=verify-full", false],
    ["postgres://localhost/als", false],
  ])("at %s is exposed to the network: %s", async (url, exposed) => {
    expect(await isExposed(placeAt(url))).toBe(exposed);
  });
});
