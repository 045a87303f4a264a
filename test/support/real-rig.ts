/** What the conformance suite's rigs on a real PBX have in common: SIP by socket, a link to cut. */
import type { PbxInstance } from './pbx-instance.js';
import type { PbxRig } from './pbx-rig.js';
import { RawSip } from './raw-sip.js';
import { TcpProxy } from './tcp-proxy.js';

/** Both sides of a real PBX, and the relay in its control link. */
export interface RigSides {
  readonly edge: RawSip;
  readonly radio: RawSip;
  readonly proxy: TcpProxy;
  close(): Promise<void>;
}

export async function openSides(pbx: PbxInstance): Promise<RigSides> {
  const edge = await RawSip.open(pbx.edge, pbx.sip);
  const radio = await RawSip.open(pbx.radio, pbx.trunk);
  const proxy = await TcpProxy.open({ host: pbx.control.address, port: pbx.control.port });
  const close = async (): Promise<void> => {
    edge.close();
    radio.close();
    await proxy.close();
    await pbx.stop();
  };
  return { edge, radio, proxy, close };
}

/** The rig on `pbx`, to which `own` adds what goes by the control link. */
export function realRig(
  pbx: PbxInstance,
  { edge, radio, proxy }: RigSides,
  own: Pick<PbxRig, 'makePort' | 'variable' | 'setsVariablesOnDialled'>,
): PbxRig {
  let calls = 0;
  return {
    ...own,
    isOwn: pbx.isOwn,
    callIn: (callId, sessionId) => edge.invite('radio7', callId, { 'X-SeGy-Session': sessionId }),
    callPast: (callId, sessionId) =>
      edge.invite('past-gateway', callId, { 'X-SeGy-Session': sessionId }),
    nextAtRadio: () => radio.nextInvite(),
    callOut: async () => {
      radio.invite('alice.mc', `radio-${process.pid}-${++calls}`);
      return edge.nextInvite();
    },
    channelCount: () => pbx.channelCount(),
    endAll: () => pbx.hangUpAll(),
    cutLink: () => proxy.cut(),
    mendLink: () => proxy.mend(),
    controlConnections: () => proxy.connections,
    crash: () => pbx.kill(),
    restore: () => pbx.run(),
  };
}
