/** Starting and stopping one server, whoever asks and however often. */

export interface Server {
  start(): Promise<void>;
  /** Ends it, also while it starts. */
  stop(): Promise<void>;
}

/** A start that was not waited for. */
class GivenUp extends Error {}

/**
 * A queue of at most one act under way and one to come: any number of requests while a restart
 * runs are answered by one more.
 */
export class Restarts {
  private current: Promise<void> = Promise.resolve();
  private next: Promise<void> | undefined;
  private over = false;
  private giveUp: (why: string) => void = () => undefined;

  /**
   * @param longest - Milliseconds in which a server must be up.
   * @param patience - Milliseconds that a start under way still has once something else is wanted.
   */
  constructor(
    private readonly server: Server,
    private readonly longest = 60_000,
    private readonly patience = 3_000,
  ) {}

  /** Resolves once a server that was started after this call runs; rejects when it cannot. */
  restart(): Promise<void> {
    this.next ??= this.underWay().then(() => {
      this.next = undefined;
      this.current = this.act();
      return this.current.catch((error: unknown) => {
        if (error instanceof GivenUp && this.next !== undefined) {
          return this.next; // The one that it made way for answers this call too.
        }
        throw error;
      });
    });
    return this.next;
  }

  /** Stops the server for good. */
  async end(): Promise<void> {
    this.over = true;
    await (this.next ?? this.underWay()).catch(() => undefined);
    await this.server.stop();
  }

  /** Waits for what is under way; a server that does not come up is left after a while. */
  private async underWay(): Promise<void> {
    const timer = setTimeout(() => {
      this.giveUp("another start is wanted");
    }, this.patience);
    await this.current.catch(() => undefined);
    clearTimeout(timer);
  }

  private async act(): Promise<void> {
    await this.server.stop();
    if (this.over) {
      return;
    }
    const left = new Promise<never>((_, reject) => {
      this.giveUp = (why) => {
        reject(new GivenUp(why));
      };
    });
    const timer = setTimeout(() => {
      this.giveUp(`it did not answer within ${this.longest / 1000} s`);
    }, this.longest);
    try {
      await Promise.race([this.server.start(), left]);
    } catch (error) {
      if (error instanceof GivenUp) {
        await this.server.stop();
      }
      throw error;
    } finally {
      clearTimeout(timer);
      this.giveUp = () => undefined;
    }
  }
}

/** Says when a server that keeps dying should be left alone. */
export class Crashes {
  private times: number[] = [];

  /**
   * @param most - Crashes after which no restart is worth its while.
   * @param within - Milliseconds in which they count.
   */
  constructor(
    private readonly most = 3,
    private readonly within = 180_000,
    private readonly now: () => number = Date.now,
  ) {}

  /** Notes one; true when the server should be started again. */
  worthARestart(): boolean {
    const now = this.now();
    this.times = [...this.times.filter((time) => now - time < this.within), now];
    return this.times.length <= this.most;
  }

  /** A user's own restart begins a new count. */
  forget(): void {
    this.times = [];
  }
}
