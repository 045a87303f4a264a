/**
 * Types of what this program uses of modesl 1.2 (the package has none).
 */
declare module 'modesl' {
  import type { Socket } from 'node:net';

  export interface Event {
    getHeader(name: string): string | null | undefined;
    getBody(): string | undefined;
  }

  type Reply = (event: Event) => void;

  export class Connection {
    /** Connects at once. Nothing may be thrown away before an `error` listener is there. */
    constructor(host: string, port: number, password: string);
    /** Event types that it subscribes to by itself after the log-in. */
    reqEvents: string[];
    /** Null after the other side has ended the connection. */
    readonly socket: Socket | null;
    readonly parser?: { readonly buffer: Uint8Array };
    on(event: 'error', listener: (error: Error) => void): void;
    on(event: 'esl::connect' | 'esl::ready' | 'esl::event::auth::fail', listener: () => void): void;
    on(event: 'esl::event::**', listener: Reply): void;
    removeAllListeners(): void;
    events(format: 'json', types: readonly string[], reply: Reply): void;
    api(command: string, reply: Reply): void;
  }

  const esl: { Connection: typeof Connection };
  export default esl;
}
