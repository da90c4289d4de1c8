import { z } from "zod";
import { choice, duration, sectionMessage, text, wholeNumber } from "./fields.ts";

const minuteMs = 60_000;

/** More people than this are no trial. */
const mostPeople = 1_000;

const endMessage = "must be release, or a section such as { after: 2h, maxFailures: 0 }";

/** The others wait for this: a person, or a time in which not too many of the first people fail. */
const endSchema = z
  .union(
    [
      choice(["release"], endMessage),
      z.strictObject({ after: duration({ minimumMs: minuteMs }), maxFailures: wholeNumber(0).prefault(0) }),
    ],
    { error: endMessage },
  )
  .transform((value) =>
    value === "release" ? value : { afterMs: value.after, maxFailures: value.maxFailures },
  );

const canarySchema = z
  .strictObject(
    {
      people: wholeNumber(0, mostPeople)
        .nullable()
        .prefault(null)
        .describe(
          "How many people the first cycle after a change of the mapping, the scope or the actions, and a first run, sends changes for. They are chosen evenly over departments and kinds of change; everything else is held. null for no canary: everything is sent.",
        ),
      users: z
        .array(text("must be a user principal name or an object ID"), {
          error: "must be a list of user principal names and object IDs",
        })
        .max(mostPeople, { error: `must have at most ${mostPeople} people` })
        .prefault([])
        .describe(
          "People who are among them in any case, by user principal name or object ID, besides the number.",
        ),
      group: text("must be the object ID or the display name of a group")
        .nullable()
        .prefault(null)
        .describe(
          "A group of Entra, by object ID or display name: members who have a change are among them, besides the number. It is read when the people are chosen; if it cannot be read, or has more than 1,000 such members, everything is held. null for no group.",
        ),
      // biome-ignore lint/suspicious/noThenProperty: a key of the file, whose value is never a function
      then: endSchema
        .prefault("release")
        .describe(
          "When the others follow: when a person releases the plan (release), or { after: 2h, maxFailures: 0 }: 2 hours after the first write, if no more of these people than that failed; if more did, when a person releases the plan.",
        ),
    },
    { error: sectionMessage },
  )
  .refine(({ people, users }) => people !== null || users.length === 0, {
    path: ["users"],
    error: "needs rollout.canary.people (0 for no one else)",
  })
  .refine(({ people, group }) => people !== null || group === null, {
    path: ["group"],
    error: "needs rollout.canary.people (0 for no one else)",
  })
  .transform(({ then: goesOn, ...canary }) => ({ ...canary, goesOn: goesOn === "release" ? null : goesOn }));

/** `rollout`: how a new configuration, or a first run, reaches everybody. */
export const rolloutSchema = z.strictObject(
  {
    canary: canarySchema
      .prefault({})
      .describe("A new configuration is tried on a few people first (docs/operating.md)."),
  },
  { error: sectionMessage },
);
