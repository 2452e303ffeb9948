package import TinyLayers
package import TinyLoader
package import TinyTensor

/// What a model's files hold, without running it; as much as can be said, even where the family is not supported.
package struct Inspection {
    package struct Tensor {
        package let name: String
        package let type: String
        package let shape: [Int]
        package let bytes: Int
    }

    package struct Memory {
        /// Weights as they are held in the default precision.
        package let weights: Int
        package let cachePerToken: Int
    }

    package let path: String
    package let format: String
    package let family: String?
    package let spec: ModelSpec?
    /// Of what reads images, where the files hold that too.
    package let imageSpec: ModelSpec?
    package let tensors: [Tensor]
    package let parameters: Int
    package let bytes: Int
    package let memory: Memory?
    package let warnings: [String]

    package init(checkpoint: Checkpoint) {
        path = checkpoint.path
        switch checkpoint.format {
        case .gguf(let gguf): format = "GGUF version \(gguf.version)"
        case .folder:
            format = checkpoint.files.count > 1 ? "safetensors, \(checkpoint.files.count) files" : "safetensors"
        }
        tensors = checkpoint.index.tensors.map {
            Tensor(name: $0.name, type: $0.content.name, shape: $0.shape, bytes: $0.byteCount)
        }
        parameters = checkpoint.index.parameterCount
        bytes = tensors.reduce(0) { $0 + $1.bytes }
        do {
            let recipe = try Recipe(checkpoint: checkpoint)
            let binder = recipe.binder()
            let imageBinder = recipe.imageBinder()
            var problems = try binder.check(recipe.spec)
            if let imageBinder, let tower = recipe.imageTower { problems += try imageBinder.check(tower.spec) }
            family = recipe.family.name
            spec = recipe.spec
            memory = Memory(
                weights: checkpoint.index.preparedBytes(.fast),
                cachePerToken: KeyValueCache.byteCount(spec: recipe.spec, capacity: 1, precision: .fast))
            imageSpec = recipe.imageTower?.spec
            warnings = problems + recipe.warnings(binder, imageBinder)
        } catch {
            family = (try? Recipe.family(of: checkpoint).0)?.name
            spec = nil
            imageSpec = nil
            memory = nil
            warnings = ["\(error)"]
        }
    }

    /// Bytes for each element type, the largest first.
    package var bytesByType: [(type: String, bytes: Int)] {
        Dictionary(grouping: tensors, by: \.type).map { (type: $0.key, bytes: $0.value.reduce(0) { $0 + $1.bytes }) }
            .sorted { ($0.bytes, $1.type) > ($1.bytes, $0.type) }
    }
}

extension TensorIndex {
    /// What the weights take once matrices are made ready for products.
    package func preparedBytes(_ precision: Precision) -> Int {
        tensors.reduce(0) { sum, tensor in
            guard case .elements(let type) = tensor.content, tensor.shape.count == 2 else {
                return sum + tensor.byteCount
            }
            return sum
                + Compute.preparedBytes(type, rows: tensor.shape[0], columns: tensor.shape[1], precision: precision)
        }
    }

    /// Whether products with some of the weights round a prompt's activations to other bits than a new token's.
    package func roundsPrompts(_ compute: Compute) -> Bool {
        tensors.contains { tensor in
            guard case .elements(let type) = tensor.content, let columns = tensor.shape.last else { return false }
            return compute.roundsPrompts(by: type, columns: columns)
        }
    }

    /// Weights in the file.
    package var parameterCount: Int {
        tensors.reduce(0) { sum, tensor in
            if case .elements = tensor.content { sum + tensor.elementCount } else { sum }
        }
    }
}
