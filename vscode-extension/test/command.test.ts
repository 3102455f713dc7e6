import { delimiter, join } from "node:path";
import { describe, expect, it } from "vitest";

import {
  NoProgram,
  personalizer,
  type Surroundings,
  type Wishes,
  withArguments,
} from "../src/command";

const BIN = join("/", "usr", "bin");

function program(wishes: Partial<Wishes>, programs: string[], around: Partial<Surroundings> = {}) {
  const found = personalizer(
    { command: [], interpreter: "", ...wishes },
    {
      environment: { PATH: [join("/", "opt"), BIN].join(delimiter) },
      home: "/home/ada",
      folder: "/work/shop",
      windows: false,
      managed: "/store/python/bin/personalizer",
      runs: (path) => programs.includes(path),
      ...around,
    },
  );
  const whole = withArguments(found, "lsp");
  return [whole.command, ...whole.args];
}

describe("the program", () => {
  it("is personalizer on PATH", () => {
    const here = join(BIN, "personalizer");
    expect(program({}, [here])).toEqual([here, "lsp"]);
  });

  it("is an .exe on Windows", () => {
    const here = join(BIN, "personalizer.exe");
    expect(program({}, [here], { windows: true })).toEqual([here, "lsp"]);
  });

  it("is the command of the settings before any on PATH", () => {
    const programs = ["/home/ada/.local/bin/uv", join(BIN, "personalizer")];
    expect(program({ command: ["~/.local/bin/uv", "run", "personalizer"] }, programs)).toEqual([
      "/home/ada/.local/bin/uv",
      "run",
      "personalizer",
      "lsp",
    ]);
  });

  it("may be a bare name in the settings", () => {
    const uv = join(BIN, "uv");
    expect(program({ command: ["uv", "run", "personalizer"] }, [uv])[0]).toBe(uv);
  });

  it("may be a Python of the workspace", () => {
    const python = "/work/shop/.venv/bin/python";
    expect(program({ interpreter: "${workspaceFolder}/.venv/bin/python" }, [python])).toEqual([
      python,
      "-P",
      "-m",
      "personalizer",
      "lsp",
    ]);
  });

  it("is that of the managed environment where there is no other", () => {
    const managed = "/store/python/bin/personalizer";
    expect(program({}, [managed])).toEqual([managed, "lsp"]);
    const own = join(BIN, "personalizer");
    expect(program({}, [managed, own])).toEqual([own, "lsp"]);
  });

  it("is missing in words when there is none", () => {
    expect(() => program({}, [])).toThrow(NoProgram);
    expect(() => program({}, [])).toThrow(/pip install personalizer/);
    expect(() => program({}, [], { environment: {} })).toThrow(NoProgram);
  });

  it("is named with its setting when it is not there", () => {
    expect(() => program({ command: ["/nowhere/p"] }, [])).toThrow(
      "personalizer.command names /nowhere/p, and there is no such program",
    );
    expect(() => program({ interpreter: "py" }, [])).toThrow(/personalizer.interpreter names py/);
  });
});
