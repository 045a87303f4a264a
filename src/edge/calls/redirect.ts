/**
 * Contacts of a 3xx, which name users of one side, put into the words of the other. Towards the PBX
 * a user becomes a user part at our inner address; towards MC a PBX user becomes the MC service ID it
 * is represented by. What cannot be translated is left out.
 */
import { parseNameAddr, parseSipUri, userText, type SipMessage } from '../../sip/index.js';
import type { ClientsPort } from '../ports/clients-port.js';
import type { Side } from '../dependencies.js';
import { requireSafeUser } from '../messages/identity.js';

const MAX_CONTACTS = 8;

/**
 * Contact values for the receiver; none when nobody it could reach is named.
 * @param here our inner host and port, where the PBX can dial an MC user, and the parameter that names the
 *   partner where the PBX used one
 */
export function redirectContacts(
  response: SipMessage,
  from: Side,
  clients: ClientsPort,
  here: string,
): string[] {
  const users = listed(response)
    .slice(0, MAX_CONTACTS)
    .map(contactUser)
    .filter((user) => user !== null);
  if (from === 'outer') return users.map((user) => `<sip:${user}@${here}>`);
  return users
    .map((user) => clients.byPbxUser(user)?.uri)
    .filter((uri) => uri !== undefined)
    .map((uri) => `<${uri}>`);
}

/** A Contact that cannot be read leads nowhere; it is no fault of the caller's. */
function listed(response: SipMessage): string[] {
  try {
    return response.headers.list('Contact');
  } catch {
    return [];
  }
}

function contactUser(value: string): string | null {
  try {
    const user = userText(parseSipUri(parseNameAddr(value).uri));
    return user === undefined ? null : requireSafeUser(user, 'a Contact');
  } catch {
    return null;
  }
}
