import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

import { versionAdvice } from "../src/version";

function text(path: string): string {
  return readFileSync(new URL(path, import.meta.url), "utf8");
}

it("the extension bears the number of the Python package", () => {
  const python = /__version__ = "([^"]+)"/.exec(text("../../personalizer/__init__.py"))?.[1];
  const { version } = JSON.parse(text("../package.json")) as { version: string };
  expect(python).toBeDefined();
  expect(version).toBe(python);
});

it("the lock file names no host to install from", () => {
  expect(text("../package-lock.json")).not.toContain('"resolved"');
});

it("two versions are told apart, and one is not", () => {
  expect(versionAdvice("1.2.0", "1.3.0")).toContain("1.3.0");
  expect(versionAdvice("1.2.0", "1.2.0")).toBeUndefined();
  expect(versionAdvice("1.2.0", undefined)).toBeUndefined();
});
