/** The commands of the palette. The server's own are registered by the language client. */

import * as vscode from "vscode";

import { type PersonalizerServer } from "./server";

export function registerCommands(
  server: PersonalizerServer,
  restart: () => Promise<void>,
  log: vscode.LogOutputChannel,
): vscode.Disposable[] {
  const atCursor = (command: string) => async () => {
    const editor = vscode.window.activeTextEditor;
    if (editor?.document.languageId !== "java") {
      void vscode.window.showWarningMessage("Open a Java file and put the cursor into a method.");
      return;
    }
    const { line, character } = editor.selection.active;
    await server.execute(command, {
      textDocument: { uri: editor.document.uri.toString() },
      position: { line, character },
    });
  };
  const ofFolder = (command: string) => async () => {
    const folder = await chosenFolder();
    if (folder) {
      await server.execute(command, folder.uri.toString());
    }
  };
  const train = async () => {
    if (vscode.workspace.isTrusted) {
      await ofFolder("personalizer.train")();
    } else {
      void vscode.window.showWarningMessage(
        "Training reads and learns from the whole project: trust this workspace first.",
      );
    }
  };
  const needsServer: Record<string, () => Promise<void>> = {
    generateTestHere: atCursor("personalizer.generateTest"),
    generateSnippetHere: atCursor("personalizer.generateSnippet"),
    trainHere: train,
    cancelTrainingHere: ofFolder("personalizer.cancelTraining"),
    showStatusHere: ofFolder("personalizer.showStatus"),
  };
  return [
    ...Object.entries(needsServer).map(([name, act]) =>
      vscode.commands.registerCommand(`personalizer.${name}`, async () => {
        if (!server.running) {
          await restart();
        }
        if (server.running) {
          await act();
        }
      }),
    ),
    vscode.commands.registerCommand("personalizer.restartServer", restart),
    vscode.commands.registerCommand("personalizer.openLog", () => {
      log.show();
    }),
  ];
}

/** The folder of the active file, the only one, or the one that the user picks. */
async function chosenFolder(): Promise<vscode.WorkspaceFolder | undefined> {
  const file = vscode.window.activeTextEditor?.document.uri;
  const around = file && vscode.workspace.getWorkspaceFolder(file);
  const folders = vscode.workspace.workspaceFolders ?? [];
  if (around || folders.length < 2) {
    return around ?? folders[0];
  }
  return vscode.window.showWorkspaceFolderPick({ placeHolder: "Which project?" });
}
