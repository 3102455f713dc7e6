import { beforeEach, describe, expect, it, vi } from "vitest";

import { ask } from "../src/asking";

/** The part of VS Code that asks: as there, a list that is shown hides the one before. */
const vscode = vi.hoisted(() => {
  class List {
    title = "";
    items: unknown[] = [];
    selectedItems: unknown[] = [];
    private accepted = (): void => undefined;
    private hidden = (): void => undefined;

    onDidAccept(act: () => void): void {
      this.accepted = act;
    }

    onDidHide(act: () => void): void {
      this.hidden = act;
    }

    onDidChangeActive(): void {
      // Nobody moves in the list.
    }

    show(): void {
      lists.at(-1)?.hide();
      lists.push(this);
    }

    hide(): void {
      this.hidden();
    }

    take(number: number): void {
      this.selectedItems = [this.items[number]];
      this.accepted();
    }

    dispose(): void {
      this.hide();
    }
  }

  const lists: List[] = [];
  const providers = { now: 0, most: 0 };
  return {
    lists,
    providers,
    Uri: { from: ({ path }: { path: string }) => path },
    ViewColumn: { Beside: -2 },
    ThemeColor: Object,
    TabInputText: Object,
    window: {
      createQuickPick: () => new List(),
      createTextEditorDecorationType: () => ({ dispose: () => undefined }),
      showTextDocument: (page: string) =>
        page.includes("broken") ? Promise.reject(new Error("no such page")) : Promise.resolve({}),
      tabGroups: { all: [], close: () => Promise.resolve() },
    },
    workspace: {
      registerTextDocumentContentProvider: () => {
        providers.now += 1;
        providers.most = Math.max(providers.most, providers.now);
        return { dispose: () => (providers.now -= 1) };
      },
    },
  };
});
vi.mock("vscode", () => vscode);

const ONE = { title: "1. sums: passes", code: "void sums() { }" };
const TWO = { title: "2. fails: compiles, fails", code: "void fails() { }" };

async function list(number: number) {
  return vi.waitUntil(() => vscode.lists[number]);
}

describe("a second question", () => {
  beforeEach(() => {
    vscode.lists.length = 0;
    vscode.providers.most = 0;
  });

  it("comes when the first is answered, and each has its own answer", async () => {
    const answers = [ask("First?", [ONE, TWO]), ask("Second?", [ONE, TWO])];
    const first = await list(0);
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(vscode.lists.map(({ title }) => title)).toEqual(["First?"]);
    first.take(1);
    (await list(1)).take(0);
    expect(await Promise.all(answers)).toEqual([TWO, ONE]);
    expect(vscode.providers).toEqual({ now: 0, most: 1 });
  });

  it("comes after one that could not be asked, too", async () => {
    const broken = ask("broken", [ONE]);
    const answer = ask("Second?", [ONE]);
    await expect(broken).rejects.toThrow("no such page");
    (await list(0)).hide();
    expect(await answer).toBeNull();
  });
});
