/**
 * The extension through VS Code's own interface, in a real extension host: commands that touch
 * files, providers, settings, a server that dies. The daemon is a fake that logs what it is asked
 * (`tests/fake_daemon.py`); the folder is its shop of one class and one test.
 */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

import * as vscode from "vscode";

const [root] = vscode.workspace.workspaceFolders ?? [];
const { log } = JSON.parse(process.env.FAKE_DAEMON ?? "{}") as { log: string };
const CART = "src/main/java/shop/Cart.java";
const TEST = "src/test/java/shop/CartTest.java";

interface Named {
  readonly command: string;
}

interface Call {
  readonly call: string;
  readonly [key: string]: unknown;
}

function called(name: string): Call[] {
  const lines = readFileSync(log, "utf8").split("\n").filter(Boolean);
  return lines.map((line) => JSON.parse(line) as Call).filter((one) => one.call === name);
}

function at(path: string): vscode.Uri {
  assert(root);
  return vscode.Uri.joinPath(root.uri, path);
}

async function until<T>(look: () => T | Promise<T>, what: string): Promise<NonNullable<T>> {
  const end = Date.now() + 60_000;
  for (;;) {
    const found = await look();
    if (found) {
      return found;
    }
    assert(Date.now() < end, `waited in vain for ${what}`);
    await new Promise((again) => setTimeout(again, 100));
  }
}

/** Opens a file with the cursor at a text. */
async function open(path: string, text: string): Promise<vscode.TextEditor> {
  const editor = await vscode.window.showTextDocument(at(path));
  const place = editor.document.positionAt(editor.document.getText().indexOf(text) + 1);
  editor.selection = new vscode.Selection(place, place);
  return editor;
}

function textOf(path: string): string | undefined {
  const uri = at(path).toString();
  return vscode.workspace.textDocuments.find((one) => one.uri.toString() === uri)?.getText();
}

async function lenses(): Promise<string[]> {
  const found = await vscode.commands.executeCommand<vscode.CodeLens[]>(
    "vscode.executeCodeLensProvider",
    at(CART),
    100,
  );
  return found.flatMap((one) => one.command?.title ?? []);
}

async function actions(text: string): Promise<string[]> {
  const { selection } = await open(CART, text);
  const found = await vscode.commands.executeCommand<(vscode.CodeAction | vscode.Command)[]>(
    "vscode.executeCodeActionProvider",
    at(CART),
    selection,
  );
  return found.map((one) => one.title);
}

async function set(key: string, value: unknown): Promise<void> {
  const all = vscode.workspace.getConfiguration("personalizer");
  await all.update(key, value, vscode.ConfigurationTarget.Global);
}

/** Takes back whatever a fact has changed. */
async function undone(path: string): Promise<void> {
  await vscode.window.showTextDocument(at(path));
  await vscode.commands.executeCommand("workbench.action.files.revert");
}

describe("the extension", () => {
  before(async () => {
    await open(CART, "total()");
    await until(async () => (await lenses()).length > 0, "lenses");
  });

  it("has every command that it names", async () => {
    const own = vscode.extensions.getExtension("personalizer.personalizer");
    const { contributes } = own?.packageJSON as { contributes: { commands: Named[] } };
    const { commands } = contributes;
    const known = new Set(await vscode.commands.getCommands());
    assert.deepEqual(
      commands.map((one) => one.command).filter((name) => !known.has(name)),
      [],
    );
  });

  it("counts tests above methods, and leaves it when it is told to", async () => {
    assert.deepEqual(await lenses(), ["Generate test", "1 test", "Generate test"]);
    await set("codeLens.enable", false);
    await until(async () => (await lenses()).length === 0, "no lens");
    await set("codeLens.enable", undefined);
    await until(async () => (await lenses()).length === 3, "lenses again");
  });

  it("offers what fits the method", async () => {
    assert.deepEqual(await actions("total()"), [
      "Generate test",
      "Generate test (choose…)",
      "Go to test CartTest.totalSumsPrices",
    ]);
    assert((await actions("clear()")).includes("Generate snippet"));
    assert.deepEqual(await actions("hidden()"), []);
  });

  it("adds a test that one undo takes back, byte for byte", async () => {
    await vscode.workspace.openTextDocument(at(TEST));
    const before = textOf(TEST);
    await set("generateTest.candidates", 2);
    await open(CART, "total()");
    await vscode.commands.executeCommand("personalizer.generateTestHere");
    await until(() => textOf(TEST)?.includes("void generated()"), "the test");
    const editor = await until(() => {
      const shown = vscode.window.activeTextEditor;
      return shown?.document.uri.path.endsWith(TEST) ? shown : undefined;
    }, "the test class");
    const { line } = editor.selection.active;
    assert.equal(editor.document.lineAt(line).text.trim(), "@Test");
    assert.equal(called("generate").at(-1)?.n, 2);
    await set("generateTest.candidates", undefined);
    await vscode.commands.executeCommand("undo");
    assert.equal(textOf(TEST), before);
    await undone(TEST);
  });

  it("sends what is not saved, and only that", async () => {
    const editor = await open(CART, "total()");
    await editor.edit((edit) => {
      edit.insert(new vscode.Position(0, 0), "// 😀\n");
    });
    const typed = editor.document.getText();
    await vscode.commands.executeCommand("personalizer.generateTestHere");
    await until(() => called("generate").at(-1)?.line === 13, "the request");
    assert.deepEqual(called("generate").at(-1)?.buffers, { [CART]: typed });
    await until(() => textOf(TEST)?.includes("void generated()"), "the test");
    await undone(TEST);
    await undone(CART);
  });

  it("completes a documented body in grey, and takes it when asked to", async () => {
    const editor = await open(CART, "clear() {");
    const end = editor.document.lineAt(editor.selection.active.line).range.end;
    editor.selection = new vscode.Selection(end, end);
    await until(async () => {
      await vscode.commands.executeCommand("editor.action.inlineSuggest.trigger");
      await new Promise((drawn) => setTimeout(drawn, 500));
      await vscode.commands.executeCommand("editor.action.inlineSuggest.commit");
      return textOf(CART)?.includes("return 42;");
    }, "the body");
    await undone(CART);
  });

  it("writes the body of a documented method", async () => {
    await open(CART, "clear()");
    await vscode.commands.executeCommand("personalizer.generateSnippetHere");
    await until(() => textOf(CART)?.includes("return 42;"), "the body");
    await undone(CART);
  });

  it("trains the folder, trusted, and cancels", async () => {
    await vscode.commands.executeCommand("personalizer.trainHere");
    const train = await until(() => called("train")[0], "the training");
    assert.equal(train.workspace, root?.uri.fsPath);
    assert.equal(train.trusted, true);
    await vscode.commands.executeCommand("personalizer.cancelTrainingHere");
    await until(() => called("cancel").length, "the cancelling");
  });

  it("shows the status in a panel of its own, once", async () => {
    const views = () =>
      vscode.window.tabGroups.all
        .flatMap((group) => group.tabs)
        .filter((tab) => tab.label === "Personalizer: shop");
    const show = () => vscode.commands.executeCommand("personalizer.showStatusHere");
    await Promise.all([show(), show()]);
    await until(() => views().length > 0, "the view");
    assert.equal(views().length, 1);
    await vscode.commands.executeCommand("workbench.action.closeActiveEditor");
  });

  it("wants a Java file for what is done at the cursor, and says so without failing", async () => {
    const before = called("generate").length;
    await vscode.window.showTextDocument(
      await vscode.workspace.openTextDocument({ language: "plaintext", content: "total()" }),
    );
    await vscode.commands.executeCommand("personalizer.generateTestHere");
    assert.equal(called("generate").length, before);
    await vscode.commands.executeCommand("workbench.action.revertAndCloseActiveEditor");
  });

  it("writes from the walkthrough what it would at the cursor", async () => {
    await open(CART, "total()");
    await vscode.commands.executeCommand(
      "workbench.action.openWalkthrough",
      "personalizer.personalizer#start",
    );
    await until(() => vscode.window.activeTextEditor === undefined, "the walkthrough");
    const before = called("generate").length;
    await vscode.commands.executeCommand("personalizer.generateTestHere");
    await until(() => called("generate").length > before, "the request");
    assert.equal(called("generate").at(-1)?.line, 12);
    await until(() => textOf(TEST)?.includes("void generated()"), "the test");
    await undone(TEST);
  });

  it("starts a killed server again, which knows the open files", async () => {
    const own = String(process.pid);
    const pids = () =>
      execFileSync("pgrep", ["-P", own, "-f", "tests.fake_daemon"], { encoding: "utf8" })
        .trim()
        .split("\n");
    const [old] = pids();
    assert(old);
    process.kill(Number(old), "SIGKILL");
    await until(async () => (await actions("total()")).length > 0, "a new server");
    assert(!pids().includes(old));
  });
});
