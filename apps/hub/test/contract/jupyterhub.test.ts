import { describeWith } from '@org/services'

import { startJupyterHub } from '../support/jupyterhub.ts'
import { contractSuite } from './suite.ts'

await describeWith('jupyterhub', 'the REST contract, JupyterHub itself', () => {
  contractSuite(startJupyterHub, ({ jupyterhub }) => jupyterhub)
})
