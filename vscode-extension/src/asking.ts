/** Asks what the server wants to know; answers that stand for code are shown beside the list. */

import * as vscode from "vscode";

import { type Action, answerOf, previewOf } from "./questions";

const SCHEME = "personalizer-choices";

let last: Promise<unknown> = Promise.resolve();

/** The user's choice, or null; asked once all earlier questions are answered. */
export function ask(question: string, actions: readonly Action[]): Promise<Action | null> {
  const answer = last.then(() => askNow(question, actions));
  last = answer.catch(() => undefined);
  return answer;
}

async function askNow(question: string, actions: readonly Action[]): Promise<Action | null> {
  const preview = previewOf(question, actions);
  if (preview === undefined) {
    return picked(question, actions, () => undefined);
  }
  // A read-only document; `.java` gives it colours.
  const page = vscode.Uri.from({ scheme: SCHEME, path: `/${question.replace(/[?/]/g, "")}.java` });
  const provided = vscode.workspace.registerTextDocumentContentProvider(SCHEME, {
    provideTextDocumentContent: () => preview.text,
  });
  try {
    const editor = await vscode.window.showTextDocument(page, {
      viewColumn: vscode.ViewColumn.Beside,
      preserveFocus: true,
    });
    const mark = vscode.window.createTextEditorDecorationType({
      isWholeLine: true,
      backgroundColor: new vscode.ThemeColor("editor.rangeHighlightBackground"),
    });
    const chosen = await picked(question, actions, (number) => {
      const [first, last] = preview.lines[number] ?? [0, 0];
      const part = new vscode.Range(first, 0, last, Number.MAX_SAFE_INTEGER);
      editor.setDecorations(mark, [part]);
      editor.revealRange(part, vscode.TextEditorRevealType.InCenter);
    });
    mark.dispose();
    return chosen;
  } finally {
    await close(page);
    provided.dispose();
  }
}

/** Lets the user pick; tells which answer, from 0, they are at meanwhile. */
async function picked(
  question: string,
  actions: readonly Action[],
  at: (number: number) => void,
): Promise<Action | null> {
  const list = vscode.window.createQuickPick<ReturnType<typeof answerOf>>();
  list.title = question;
  list.items = actions.map(answerOf);
  list.matchOnDescription = true;
  list.ignoreFocusOut = true; // it took minutes to make: a click elsewhere must not lose it
  list.onDidChangeActive(([active]) => {
    if (active !== undefined) {
      at(actions.indexOf(active.action));
    }
  });
  try {
    return await new Promise<Action | null>((resolve) => {
      list.onDidAccept(() => {
        resolve(list.selectedItems[0]?.action ?? null);
      });
      list.onDidHide(() => {
        resolve(null);
      });
      list.show();
    });
  } finally {
    list.dispose();
  }
}

async function close(page: vscode.Uri): Promise<void> {
  const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs);
  const shown = tabs.filter(
    ({ input }) =>
      input instanceof vscode.TabInputText && input.uri.toString() === page.toString(),
  );
  await vscode.window.tabGroups.close(shown);
}
