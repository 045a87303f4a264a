/**
 * Names of group management and of its tokens that the specification's text leaves open, one table
 * for all of them.
 * A partner's `codePoints` overrides a name; docs/conformance.md lists them.
 */
import { z } from 'zod';
import { uri, xmlName } from './values.js';

const mediaType = z.string().regex(/^[a-z0-9]+\/[a-z0-9.+-]+$/, 'not a media type in lower case');
const token = z.string().regex(/^[A-Za-z0-9.-]{1,64}$/, 'not a token');

export const codePointsSchema = z
  .strictObject({
    /** media type of an I_MESSAGE that stands alone */
    mikeyType: mediaType.default('application/mikey'),
    /** group key transport (TS 24.481) */
    /** media type of group key transport XML that stands alone */
    gktpType: mediaType.default('application/vnd.3gpp.mcptt-gktp+xml'),
    gktpNamespace: uri.default('urn:3gpp:ns:mcpttGKTP:1.0'),
    gktpGmkList: xmlName.default('GMK-GKTPs'),
    gktpMkfcList: xmlName.default('MKFC-GKTPs'),
    gktpRegroupedList: xmlName.default('on-network-regrouped-GKTPs'),
    gktpEntry: xmlName.default('GKTP'),
    gktpGroupAttribute: xmlName.default('id'),
    gktpTemporaryGroupAttribute: xmlName.default('temporary-MCPTT-group-ID'),
    /** subscription to group documents (RFC 5875) */
    subscribeEvent: token.default('xcap-diff'),
    subscribeAccept: mediaType.default('application/xcap-diff+xml'),
    groupDocumentPath: uri.default('org.openmobilealliance.groups/global/byGroupID/'),
    /** affiliation (TS 24.379 clause 9) */
    affiliationEvent: token.default('presence'),
    affiliationType: mediaType.default('application/pidf+xml'),
    affiliationNamespace: uri.default('urn:3gpp:ns:mcpttPresInfo:1.0'),
    affiliationElement: xmlName.default('affiliation'),
    affiliationGroupAttribute: xmlName.default('group'),
    /** tokens (TS 33.180 Annex B): grants by which a security token becomes an access token */
    grantJwtBearer: uri.default('urn:ietf:params:oauth:grant-type:jwt-bearer'),
    grantTokenExchange: uri.default('urn:ietf:params:oauth:grant-type:token-exchange'),
    /** what a security token may be called in a token exchange */
    securityTokenTypes: z
      .array(uri)
      .min(1)
      .max(8)
      .default([
        'urn:ietf:params:oauth:token-type:jwt',
        'urn:ietf:params:oauth:token-type:access_token',
      ]),
    /** claims with the MC service IDs */
    claimMcptt: xmlName.default('mcptt_id'),
    claimMcvideo: xmlName.default('mcvideo_id'),
    claimMcdata: xmlName.default('mcdata_id'),
    /** scopes of group management */
    scopeMcptt: uri.default('3gpp:mc:ptt_group_management_service'),
    scopeMcvideo: uri.default('3gpp:mc:video_group_management_service'),
    scopeMcdata: uri.default('3gpp:mc:data_group_management_service'),
    /** the same for MCPTT by its Release 13 name */
    scopeMcpttOld: uri.default('3gpp:mcptt:group_management_server'),
  })
  .prefault({});

export type CodePoints = z.output<typeof codePointsSchema>;
export const DEFAULT_CODE_POINTS: CodePoints = codePointsSchema.parse({});
