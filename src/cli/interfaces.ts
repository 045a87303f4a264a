/** The outer interfaces of a configuration: its listeners, and the addresses of media beside them. */
import type { SegyConfig } from '../config/index.js';
import type { OuterInterface } from '../edge/index.js';

export function outerInterfaces({ outer }: SegyConfig): OuterInterface[] {
  return outer.listeners.map((listener, index) => {
    const { transport, address, port, mediaAddress } = listener;
    const advertised =
      listener.mediaAdvertised ?? (mediaAddress === undefined ? outer.mediaAdvertised : undefined);
    return {
      name: listener.name ?? `listener ${index}`,
      protocol: transport,
      address,
      contact: { host: listener.advertised ?? outer.advertised ?? address, port },
      media: {
        address: mediaAddress ?? outer.mediaAddress,
        ...(advertised !== undefined && { advertised }),
      },
    };
  });
}

/** Every address that outer media may be bound to, that of `outer.mediaAddress` first. */
export function mediaAddresses(config: SegyConfig): string[] {
  const others = outerInterfaces(config).map(({ media }) => media.address);
  return [...new Set([config.outer.mediaAddress, ...others])];
}
