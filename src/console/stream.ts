/** The event stream of one open page: from the session's log-in to its end. */
import type { ServerResponse } from 'node:http';
import type { Feed, FeedReader } from './feed.js';
import type { Session } from './sessions.js';

export function stream(response: ServerResponse, feed: Feed, session: Session): void {
  const reader: FeedReader = {
    waiting: () => response.writableLength,
    send: (text) => response.write(text),
    cut: () => response.destroy(),
  };
  const end = (): void => {
    feed.remove(reader);
    response.end('event: ended\ndata:\n\n');
  };
  response.once('close', () => {
    feed.remove(reader);
    session.onEnd.delete(end);
  });
  session.onEnd.add(end);
  response.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8' });
  response.flushHeaders();
  feed.add(reader);
}
