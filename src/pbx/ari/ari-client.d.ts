/**
 * Types of what this program uses of ari-client 2.2 (the package has none). Promises are Bluebird's;
 * they reject with an Error, or with a bare string while the API description is loaded. An operation
 * whose HTTP connection breaks never settles.
 */
declare module 'ari-client' {
  interface ForChannel {
    channelId: string;
  }

  /** Members of ARI's Channel model that are read here; anything from the network, so unknown. */
  type Json = unknown;

  export interface Client {
    readonly channels: {
      list(): PromiseLike<Json>;
      get(of: { channelId: string }): PromiseLike<unknown>;
      getChannelVar(options: ForChannel & { variable: string }): PromiseLike<Json>;
      setChannelVar(options: ForChannel & { variable: string; value: string }): PromiseLike<Json>;
      continueInDialplan(options: ForChannel): PromiseLike<Json>;
      hangup(options: ForChannel & { reason_code?: string }): PromiseLike<Json>;
    };
    readonly asterisk: {
      setGlobalVar(options: { variable: string; value?: string }): PromiseLike<Json>;
    };
    readonly events: {
      userEvent(options: {
        eventName: string;
        application: string;
        source: string;
        variables: { readonly variables: Readonly<Record<string, string>> };
      }): PromiseLike<Json>;
    };
    readonly applications: {
      subscribe(options: { applicationName: string; eventSource: string }): PromiseLike<Json>;
      filter(options: {
        applicationName: string;
        filter: Readonly<Record<string, unknown>>;
      }): PromiseLike<Json>;
    };
    /** Opens the event socket; `_ws` is set when it returns. */
    start(applications: string, subscribeAll: boolean): PromiseLike<void>;
    /** The event socket (package ws), private to the package; see library.ts for why it is used. */
    readonly _ws: EventSocket;
  }

  export interface EventSocket {
    on(event: 'open' | 'pong', listener: () => void): void;
    on(event: 'error', listener: (error: Error) => void): void;
    on(event: 'close', listener: (code: number) => void): void;
    on(event: 'message', listener: (data: Uint8Array) => void): void;
    removeAllListeners(): void;
    ping(): void;
    /** Begins the closing handshake. */
    close(): void;
    /** 3 when closed */
    readonly readyState: number;
    terminate(): void;
  }

  const ari: {
    connect(url: string, username: string, password: string): PromiseLike<Client>;
  };
  export default ari;
}
