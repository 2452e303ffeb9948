// The one import: everything a user of the library needs.
@_exported public import TinyLayers
@_exported public import TinyLoader
@_exported public import TinyModels
@_exported public import TinyRunner
@_exported public import TinyTemplate
@_exported public import TinyTensor
@_exported public import TinyTokenizer
