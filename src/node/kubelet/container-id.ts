/** A container's id as the runtime knows it: the API's has the runtime's name before it, `containerd://`. */
export const bareContainerID = (containerID: string): string => containerID.replace(/^[^:]*:\/\//, '');
