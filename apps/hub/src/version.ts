/** The version of JupyterHub whose API this hub speaks; clients compare it with their own. */
export const HUB_VERSION = '3.0.0'
