import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

import { SERVER_SETTINGS, serverSettings } from "../src/settings";

interface Manifest {
  version: string;
  contributes: { configuration: { properties: Record<string, { default: unknown }> } };
  capabilities: { untrustedWorkspaces: { restrictedConfigurations: string[] } };
}

const manifest = JSON.parse(
  readFileSync(new URL("../package.json", import.meta.url), "utf8"),
) as Manifest;
const declared = manifest.contributes.configuration.properties;

function defaultOf(key: string): unknown {
  return declared[`personalizer.${key}`]?.default;
}

describe("the server's settings", () => {
  it("are those that the manifest declares", () => {
    const own = ["personalizer.command", "personalizer.interpreter"];
    const all = [...own, ...SERVER_SETTINGS.map((name) => `personalizer.${name}`)];
    expect(Object.keys(declared).sort()).toEqual(all.sort());
  });

  it("are grouped as the server reads them", () => {
    expect(serverSettings(defaultOf, true)).toMatchObject({
      generateTest: { enable: true, candidates: 5, adapter: null, run: true, show: true },
      training: { enable: true, method: null, budget: null },
    });
  });

  it("leave out what the editor does not know", () => {
    expect(serverSettings(() => undefined, true)).toEqual({
      generateTest: {},
      generateSnippet: {},
      codeLens: {},
      navigation: {},
      training: {},
      status: {},
      inlineCompletion: {},
      adapters: {},
      workspace: { trusted: true },
    });
  });

  it("neither train nor run anything in a folder that is not trusted", () => {
    const settings = serverSettings(() => true, false);
    expect(settings.training?.enable).toBe(false);
    expect(settings.generateTest?.run).toBe(false);
    expect(settings.generateSnippet?.run).toBe(false);
    expect(settings.workspace?.trusted).toBe(false);
    expect(settings.codeLens?.enable).toBe(true);
  });

  it("that choose a program are not a folder's to make before it is trusted", () => {
    expect(manifest.capabilities.untrustedWorkspaces.restrictedConfigurations).toEqual(
      expect.arrayContaining(["personalizer.command", "personalizer.interpreter"]),
    );
  });
});
