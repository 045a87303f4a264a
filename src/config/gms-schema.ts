/**
 * Group management where talkgroups live on the radio side, and the names of the group document
 * (TS 24.481) that the specification's text leaves open, in one table that the configuration
 * overrides; docs/conformance.md lists them.
 */
import { z } from 'zod';

const name = z.string().regex(/^[A-Za-z_][A-Za-z0-9._-]{0,63}$/, 'not an XML name');
const uri = z.string().regex(/^[^\s<>"']{1,255}$/, 'not a URI');

export const groupDocumentNamesSchema = z
  .strictObject({
    listNamespace: uri.default('urn:oma:xml:poc:list-service'),
    policyNamespace: uri.default('urn:ietf:params:xml:ns:common-policy'),
    extensionNamespace: uri.default('urn:oma:xml:xdm:extensions'),
    groupInfoNamespace: uri.default('urn:3gpp:ns:mcpttGroupInfo:1.0'),
    /** a service of the group, by the enabler attribute of its element */
    mcpttEnabler: uri.default('urn:urn-7:3gpp-service.ims.icsi.mcptt'),
    mcvideoEnabler: uri.default('urn:urn-7:3gpp-service.ims.icsi.mcvideo'),
    mcdataEnabler: uri.default('urn:urn-7:3gpp-service.ims.icsi.mcdata'),
    /** what the media of such a service is called */
    mcpttMedia: name.default('mcptt-speech'),
    mcvideoMedia: name.default('mcvideo-video-media'),
    mcdataMedia: name.default('mcdata-sds'),
    /** one encoding within preferred-voice-encodings, named by its attribute */
    encodingElement: name.default('encoding'),
    encodingAttribute: name.default('name'),
    /** the one rule of the document: who is on the list may join */
    memberCondition: name.default('is-list-member'),
    joinAction: name.default('join-handling'),
  })
  .prefault({});

export type GroupDocumentNames = z.output<typeof groupDocumentNamesSchema>;
export const DEFAULT_GROUP_DOCUMENT_NAMES: GroupDocumentNames = groupDocumentNamesSchema.parse({});
