import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Json, JsonObject } from "../../../src/domain/json.ts";
import type { SourceUser } from "../../../src/domain/source.ts";
import { anonymise } from "../../../src/mapping/cases/anonymise.ts";
import { createRandom } from "../../../src/sandbox/random.ts";

const now = Date.UTC(2026, 10, 25, 9, 30);
const caseNow = Date.UTC(2026, 0, 1, 12);
const managerId = "7f1b2a60-58c1-4c7a-8d0e-0a4de5f60003";

const zoe: SourceUser = {
  objectId: "2c5d9c9e-6a4f-4a55-9d7b-2a5c7d1e0001",
  attributes: {
    id: "2c5d9c9e-6a4f-4a55-9d7b-2a5c7d1e0001",
    accountEnabled: true,
    userType: "Member",
    userPrincipalName: "zoe.osample@contoso.example",
    displayName: "Zoë O'Sample-Łukow (Contoso)",
    givenName: "Zoë",
    surname: "O'Sample-Łukow",
    mail: "Zoe.OSample@contoso.example",
    mailNickname: "zosample",
    jobTitle: "HR Business Partner",
    department: "People & Culture",
    companyName: "Contoso Holding",
    employeeId: "000471",
    employeeHireDate: "2027-02-01T00:00:00Z",
    createdDateTime: "2021-03-16T07:12:45Z",
    businessPhones: ["+47 22 33 44 55", "0047-2233"],
    mobilePhone: "+47 900 11 222",
    streetAddress: "Storgata 12 b",
    country: "Norway",
    usageLocation: "NO",
    preferredLanguage: "nb-NO",
    otherMails: ["zoe@private.example"],
    proxyAddresses: ["SMTP:zoe.osample@contoso.example", "smtp:zoe@contoso.onmicrosoft.com"],
    onPremisesDistinguishedName: "CN=Zoe,OU=People,DC=contoso,DC=example",
    onPremisesExtensionAttributes: {
      extensionAttribute1: "cost-4711",
      extensionAttribute2: "31.12.2019",
      extensionAttribute3: "20200229",
    },
    employeeOrgData: { division: "North", costCenter: "CC-9917" },
    extension_0123456789abcdef0123456789abcdef_badge: 482913,
  },
  managerId,
  presence: "present",
};

function made(user: SourceUser, keep: readonly string[] = [], seed = 1): SourceUser {
  const random = createRandom(seed, "anonymise");
  return anonymise([user], { keep, now, caseNow, random: () => random.int(2 ** 30) / 2 ** 30 })[0];
}

function text(user: SourceUser, property: string): string {
  return String(user.attributes[property]);
}

/** Every text and number in it. */
function leaves(json: Json): readonly string[] {
  if (typeof json === "string" || typeof json === "number") return [String(json)];
  return typeof json === "object" && json !== null ? Object.values(json).flatMap(leaves) : [];
}

/** Values of the person, of more than two characters, that occur anywhere in the made-up person. */
function leaks(real: SourceUser, anonymous: SourceUser, kept: readonly string[]): readonly string[] {
  const without = ({ attributes, objectId, managerId: manager }: SourceUser): JsonObject => ({
    attributes: Object.fromEntries(
      Object.entries(attributes).filter(([name]) => !kept.includes(name) && name !== "userType"),
    ),
    objectId,
    manager,
  });
  const written = leaves(without(anonymous)).map((value) => value.toLowerCase());
  return leaves(without(real)).filter(
    (value) => value.length > 2 && written.some((other) => other.includes(value.toLowerCase())),
  );
}

describe("a made-up person", () => {
  it("has no value of the real one", () => {
    for (let seed = 0; seed < 40; seed += 1) {
      const anonymous = made(zoe, [], seed);
      expect(leaks(zoe, anonymous, [])).toEqual([]);
      expect(JSON.stringify(anonymous)).not.toMatch(
        /zo[eë]|sample|łukow|contoso|storgata|norway|culture|4711/i,
      );
    }
  });

  it("is made up again if it contains a word of the real one by chance", () => {
    const words = [..."bcdfg"].flatMap((first) => [..."aeiou"].map((vowel) => `${first}${vowel}${first}`));
    const person = { ...zoe, attributes: { id: zoe.objectId, jobTitle: words.join(" ") } };
    for (let seed = 0; seed < 40; seed += 1) {
      const title = String(made(person, [], seed).attributes.jobTitle);
      expect(title.split(" ").filter((word) => words.includes(word))).toEqual([]);
    }
  });

  it("has the same shape in every value", () => {
    const anonymous = made(zoe);
    const shape = (value: string): string =>
      value
        .normalize("NFD")
        .replaceAll(/[ŁłøæœßØÆŒ]/g, "S")
        .replaceAll(/\p{Lu}/gu, "A")
        .replaceAll(/\p{Ll}/gu, "a")
        .replaceAll(/\d/g, "9");
    for (const property of [
      "displayName",
      "givenName",
      "surname",
      "jobTitle",
      "department",
      "employeeId",
      "mobilePhone",
      "streetAddress",
      "usageLocation",
      "onPremisesDistinguishedName",
      "createdDateTime",
      "employeeHireDate",
    ]) {
      expect(shape(text(anonymous, property)), property).toBe(shape(text(zoe, property)));
    }
    expect(Object.keys(anonymous.attributes)).toEqual(Object.keys(zoe.attributes));
    expect(text(anonymous, "givenName")).toMatch(/^\p{L}+$/u);
    expect(text(anonymous, "givenName").normalize("NFC")).toHaveLength(3);
    expect(text(anonymous, "employeeId")).toMatch(/^000[1-9]\d\d$/);
    expect(text(anonymous, "onPremisesDistinguishedName")).toMatch(/^CN=\w+,OU=\w+,DC=\w+,DC=\w+$/);
    expect(anonymous.attributes.extension_0123456789abcdef0123456789abcdef_badge).toBeTypeOf("number");
    expect(anonymous.attributes.accountEnabled).toBe(true);
    expect(anonymous.attributes.userType).toBe("Member");
  });

  it("is consistent: the same word is the same everywhere, and addresses follow names", () => {
    const anonymous = made(zoe);
    const plain = (value: string): string =>
      value
        .normalize("NFD")
        .replaceAll(/\p{M}/gu, "")
        .replaceAll("Ł", "L")
        .replaceAll("ł", "l")
        .toLowerCase();
    const given = plain(text(anonymous, "givenName"));
    const [, o = "", sample = ""] = /^(\w)'(\w+)-/.exec(plain(text(anonymous, "surname"))) ?? [];
    expect(plain(text(anonymous, "displayName"))).toContain(`${given} ${o}'${sample}-`);
    expect(text(anonymous, "userPrincipalName")).toBe(`${given}.${o}${sample}@example.com`);
    expect(text(anonymous, "mail").toLowerCase()).toBe(text(anonymous, "userPrincipalName"));
    expect(text(anonymous, "mail")).toMatch(/^[A-Z][a-z]+\.[A-Z][A-Z][a-z]+@example\.com$/);
    expect(anonymous.attributes.otherMails).toEqual([`${given}@example.net`]);
    expect(anonymous.attributes.proxyAddresses).toEqual([
      `SMTP:${given}.${o}${sample}@example.com`,
      `smtp:${given}@example.onmicrosoft.com`,
    ]);
    expect(anonymous.objectId).toBe(anonymous.attributes.id);
    expect(anonymous.managerId).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(anonymous.managerId).not.toBe(managerId);
  });

  it("keeps dates in any form as dates, on the same side of the time", () => {
    for (let seed = 0; seed < 25; seed += 1) {
      const { attributes } = made(zoe, [], seed);
      expect(Date.parse(String(attributes.employeeHireDate))).toBeGreaterThan(caseNow);
      expect(attributes.employeeHireDate).toMatch(/T00:00:00Z$/);
      expect(Date.parse(String(attributes.createdDateTime))).toBeLessThan(caseNow);
      const block = attributes.onPremisesExtensionAttributes as JsonObject;
      expect(block.extensionAttribute2).toMatch(/^(1[3-9]|2[0-8])\.(0[1-9]|1[0-2])\.20\d\d$/);
      expect(Date.parse(String(block.extensionAttribute3).replace(/^(....)(..)/, "$1-$2-"))).toBeLessThan(
        caseNow,
      );
    }
  });

  it("stays a guest if the person is one", () => {
    const guest: SourceUser = {
      ...zoe,
      attributes: {
        id: zoe.objectId,
        userType: "Guest",
        userPrincipalName: "robin.vale_partner.example#EXT#@contoso.onmicrosoft.com",
        mail: "robin.vale@partner.example",
        externalUserState: "Accepted",
      },
    };
    const { attributes } = made(guest);
    expect(attributes.userPrincipalName).toMatch(/^\w+\.\w+_example\.com#EXT#@example\.onmicrosoft\.com$/);
    expect(attributes.mail).toBe(String(attributes.userPrincipalName).replace(/_(.*)#EXT#.*/, "@$1"));
    expect(attributes.externalUserState).toBe("Accepted");
    expect(leaks(guest, made(guest), ["externalUserState"])).toEqual([]);
  });

  it("keeps only the attributes that it must keep", () => {
    const keep = ["department", "extensionAttribute1", "telephoneNumber"];
    const { attributes } = made(zoe, keep);
    expect(attributes.department).toBe("People & Culture");
    expect(attributes.businessPhones).toEqual(zoe.attributes.businessPhones);
    expect(attributes.onPremisesExtensionAttributes).toMatchObject({ extensionAttribute1: "cost-4711" });
    expect(attributes.onPremisesExtensionAttributes).not.toMatchObject({ extensionAttribute2: "31.12.2019" });
    expect(attributes.jobTitle).not.toBe("HR Business Partner");
    expect(() => made(zoe, ["departmnt"])).toThrow(/did you mean "department"/);
  });

  it("is different each time", () => {
    expect(made(zoe, [], 1).attributes.surname).not.toBe(made(zoe, [], 2).attributes.surname);
  });

  it("is never equal to a real person", () => {
    const value = fc.oneof(
      fc.string({ unit: "grapheme", maxLength: 20 }),
      fc.constantFrom(
        "Ann",
        "李小龍",
        "Øystein Åsgård",
        "Жанна",
        "محمد",
        "example.com",
        "555 0147",
        "Straße 5",
        "smtp",
        "İlker",
        "ßß",
        "x@y",
      ),
    );
    fc.assert(
      fc.property(
        fc.record({
          displayName: value,
          givenName: value,
          surname: value,
          mail: value,
          jobTitle: value,
          city: value,
          employeeId: value,
        }),
        fc.integer({ min: 0, max: 1000 }),
        (attributes, seed) => {
          const person = { ...zoe, attributes: { id: zoe.objectId, ...attributes } };
          const anonymous = made(person, [], seed);
          const values = leaves(anonymous.attributes);
          for (const real of leaves(attributes)) {
            // A text without letters and digits reveals nothing.
            if (real.length > 2 && /\p{L}|\p{Nd}/u.test(real) && real !== "example.com") {
              expect(values).not.toContain(real);
            }
          }
        },
      ),
      { numRuns: 150 },
    );
  });
});
