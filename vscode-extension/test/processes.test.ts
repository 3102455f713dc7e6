import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { mayRun, run } from "../src/processes";

describe("what may be run", () => {
  it("is a file with that permission, and no folder", () => {
    const folder = mkdtempSync(join(tmpdir(), "programs-"));
    const [program, text] = [join(folder, "program"), join(folder, "text")];
    writeFileSync(program, "#!/bin/sh\n", { mode: 0o755 });
    writeFileSync(text, "", { mode: 0o644 });
    try {
      expect([program, text, folder, join(folder, "none")].map(mayRun)).toEqual([
        true,
        process.platform === "win32",
        false,
        false,
      ]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("a program that is run", () => {
  const node = (code: string) => ({ command: process.execPath, args: ["-e", code] });
  const never = new AbortController().signal;

  it("tells what it writes", async () => {
    const lines: string[] = [];
    const code = "console.log('one\\ntwo')";
    expect(await run(node(code), (line) => lines.push(line), never)).toBe("one\ntwo\n");
    expect(lines).toEqual(["one", "two"]);
  });

  it("tells a bar as it is drawn anew", async () => {
    const lines: string[] = [];
    const bar = node("process.stderr.write('file: 10%|#\\rfile: 20%|##\\r')");
    expect(await run(bar, (line) => lines.push(line), never)).toBe("");
    expect(lines).toEqual(["file: 10%|#", "file: 20%|##"]);
  });

  it("that fails says its last line", async () => {
    const failing = node("console.error('no space left'); process.exit(3)");
    await expect(run(failing, () => undefined, never)).rejects.toThrow("no space left");
  });

  it("that is cancelled ends", async () => {
    const ending = new AbortController();
    const done = run(node("setTimeout(() => 0, 60000)"), () => undefined, ending.signal);
    ending.abort();
    await expect(done).rejects.toThrow();
  });

  it("of a program that is not there fails", async () => {
    const missing = { command: "/nowhere/python", args: [] };
    await expect(run(missing, () => undefined, never)).rejects.toThrow(/ENOENT/);
  });
});
