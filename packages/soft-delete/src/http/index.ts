export {
  authorizeTrashed,
  parseTrashedParameters,
  type TrashedDecision,
  type TrashedFeature,
  type TrashedParameters,
  type TrashedParametersOptions,
  TrashedRequestError,
} from './parameters.ts'
