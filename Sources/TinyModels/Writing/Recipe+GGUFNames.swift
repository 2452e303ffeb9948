package import TinyLayers
import TinyLoader

extension Recipe {
    /// What a GGUF file of this model calls a slot's tensor, and which of the tensor's matrices it is; nil if GGUF has none.
    package func ggufNames() -> (Slot) -> (name: String, matrix: Int, of: Int)? {
        let names: NameMap
        switch checkpoint.format {
        case .gguf: names = self.names
        case .folder:
            let values = spec.metadata(ModelSpec.KeyVariant())
            names = family.ggufNames(
                spec, ConfigReader(values.object, file: checkpoint.path, tensors: TensorIndex(), isGGUF: true))
        }
        return { slot in
            guard let source = names.source(slot), !source.names.isEmpty else { return nil }
            if case .expert(_, let index, _, _) = slot { return (source.name, index, self.spec.experts) }
            return (source.name, 0, 1)
        }
    }
}
