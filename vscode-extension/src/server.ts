/** One language client: how it is made, what it tells, how it ends. */

import { homedir } from "node:os";
import * as vscode from "vscode";
import {
  CloseAction,
  DidChangeConfigurationNotification,
  ErrorAction,
  ExecuteCommandRequest,
  LanguageClient,
  type LanguageClientOptions,
  type ProgressToken,
  ShowMessageRequest,
  WorkDoneProgressCancelNotification,
} from "vscode-languageclient/node";

import { type Act } from "./acts";
import { ask } from "./asking";
import { personalizer, type Program, withArguments } from "./command";
import { mayRun } from "./processes";
import { type ProgressNotes } from "./progress";
import { type Server } from "./restarts";
import { serverSettings } from "./settings";
import { type ServerState, type Status } from "./status";

const STATUS_CHANGED = "personalizer/statusChanged";

export interface Events {
  state(state: ServerState): void;
  status(status: Status): void;
  /** The server has ended unbidden. */
  crashed(): void;
}

export class PersonalizerServer implements Server {
  private client: LanguageClient | undefined;
  private up = false;

  constructor(
    private readonly log: vscode.LogOutputChannel,
    private readonly events: Events,
    private readonly progress: ProgressNotes<ProgressToken>,
    private readonly managed: string,
  ) {}

  get running(): boolean {
    return this.client?.isRunning() ?? false;
  }

  async start(): Promise<void> {
    this.events.state("starting");
    let client: LanguageClient | undefined;
    try {
      client = this.made();
      this.client = client;
      await client.start();
    } catch (error) {
      if (this.client === client) {
        this.client = undefined;
        this.events.state("stopped");
      }
      throw error;
    }
    if (this.client === client) {
      this.up = true;
      this.events.state("running");
    }
  }

  /**
   * The program that this is the language server of.
   *
   * @throws NoProgram if there is none.
   */
  program(): Program {
    const settings = vscode.workspace.getConfiguration("personalizer");
    return personalizer(
      {
        command: settings.get<string[]>("command", []),
        interpreter: settings.get<string>("interpreter", ""),
      },
      {
        environment: process.env,
        home: homedir(),
        folder: vscode.workspace.workspaceFolders?.[0]?.uri.fsPath,
        windows: process.platform === "win32",
        managed: this.managed,
        runs: mayRun,
      },
    );
  }

  private made(): LanguageClient {
    const { command, args } = withArguments(this.program(), "lsp");
    this.log.info(`starting ${[command, ...args].join(" ")}`);
    // A new client each time: one that has failed cannot be started again.
    const client = new LanguageClient(
      "personalizer",
      "Personalizer",
      { command, args: [...args] },
      this.options(),
    );
    client.onNotification(STATUS_CHANGED, (status: Status) => {
      this.events.status(status);
    });
    client.onRequest(ShowMessageRequest.type, async ({ message, actions }) => {
      const chosen = await ask(message, (actions ?? []));
      return chosen === null ? null : { title: chosen.title };
    });
    return client;
  }

  async stop(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    this.up = false;
    this.progress.clear();
    if (client?.isRunning()) {
      await client.stop().catch((error: unknown) => {
        this.log.warn(`the server did not stop in good order: ${String(error)}`);
      });
    } else {
      client?.serverProcess?.kill("SIGKILL"); // It starts, and cannot be asked to end.
    }
    this.events.state("stopped");
  }

  async execute(command: string, ...args: unknown[]): Promise<void> {
    await this.ask(ExecuteCommandRequest.method, { command, arguments: args });
  }

  /** The status view of a folder, as one HTML document. */
  async page(workspace: string): Promise<string> {
    return (await this.ask<{ html: string }>("personalizer/page", { workspace })).html;
  }

  /** Does what a button of the view says; gives what to tell the user, rejects where it cannot. */
  async act(workspace: string, act: Act): Promise<string> {
    const told = await this.ask<{ said?: string; error?: string }>("personalizer/act", {
      workspace,
      ...act,
    });
    if (told.error !== undefined) {
      throw new Error(told.error);
    }
    return told.said ?? "";
  }

  private async ask<T>(method: string, params: unknown): Promise<T> {
    if (this.client === undefined) {
      throw new Error("The language server does not run.");
    }
    return this.client.sendRequest<T>(method, params);
  }

  /** Passes the settings on; they may have changed, or the folder has become trusted. */
  async configure(): Promise<void> {
    if (this.running) {
      await this.client?.sendNotification(DidChangeConfigurationNotification.type, {
        settings: { personalizer: currentSettings() },
      });
    }
  }

  cancelProgress(token: ProgressToken): void {
    void this.client?.sendNotification(WorkDoneProgressCancelNotification.type, { token });
  }

  /** The version that the server says it is; undefined while none runs. */
  get version(): string | undefined {
    return this.client?.initializeResult?.serverInfo?.version;
  }

  private options(): LanguageClientOptions {
    return {
      documentSelector: [{ scheme: "file", language: "java" }],
      outputChannel: this.log,
      initializationOptions: currentSettings,
      initializationFailedHandler: () => false,
      errorHandler: {
        error: () => ({ action: ErrorAction.Continue }),
        closed: () => {
          // Every restart goes through the one queue, this one too; a start that fails rejects.
          if (this.up) {
            this.client = undefined;
            this.up = false;
            this.progress.clear();
            this.events.state("stopped");
            this.events.crashed();
          }
          return { action: CloseAction.DoNotRestart, handled: true };
        },
      },
      middleware: {
        handleWorkDoneProgress: (token, value, next) => {
          this.progress.take(token, value);
          if (value.kind === "end") {
            next(token, value); // The client forgets the token.
          }
        },
      },
    };
  }
}

function currentSettings(): unknown {
  const settings = vscode.workspace.getConfiguration("personalizer");
  return serverSettings((key) => settings.get(key), vscode.workspace.isTrusted);
}
