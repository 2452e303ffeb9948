import ArgumentParser
import TinyGPT

struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what a model's files hold: architecture, tensors, sizes, memory.")

    @OptionGroup var options: ModelOptions

    func run() throws {
        let inspection = try Inspection(checkpoint: Checkpoint(path: try options.path()))
        if options.json { return try Output.json(Report(inspection)) }
        try Output.print(description(inspection))
    }

    private func description(_ inspection: Inspection) -> String {
        var text = "\(inspection.path)\n"
        func line(_ name: String, _ value: String) { text += "  " + name.padded(to: 14) + value + "\n" }
        line("format", inspection.format)
        line("family", (inspection.family ?? "not supported") + (inspection.spec == nil ? "; see the warnings" : ""))
        line("parameters", "\(inspection.parameters) in \(inspection.tensors.count) tensors")
        line("size", size(inspection.bytes))
        line("types", inspection.bytesByType.map { "\($0.type) \(size($0.bytes))" }.joined(separator: " · "))
        if let memory = inspection.memory {
            line("memory", "\(size(memory.weights)) weights + \(memory.cachePerToken) bytes a token of context")
        }
        if let spec = inspection.spec {
            text += "\nspec\n" + SpecText.lines(spec).map { "  \($0)\n" }.joined()
        }
        if let spec = inspection.imageSpec {
            text += "\nspec of what reads images\n" + SpecText.lines(spec).map { "  \($0)\n" }.joined()
        }
        text += "\ntensors\n"
        let width = inspection.tensors.map { $0.name.visible.count + 1 }.max() ?? 0
        for tensor in inspection.tensors {
            let shape = tensor.shape.map(String.init).joined(separator: " × ")
            text +=
                "  " + tensor.name.visible.padded(to: width) + tensor.type.padded(to: 8) + shape.padded(to: 16)
                + size(tensor.bytes) + "\n"
        }
        if !inspection.warnings.isEmpty {
            text += "\nwarnings\n" + inspection.warnings.map { "  \($0)\n" }.joined()
        }
        return text
    }

    private struct Report: Encodable {
        struct Tensor: Encodable {
            let name: String
            let type: String
            let shape: [Int]
            let bytes: Int
        }

        struct Memory: Encodable {
            let weights_bytes: Int
            let cache_bytes_per_token: Int
        }

        let path: String
        let format: String
        let family: String?
        let spec: ModelSpec?
        let imageSpec: ModelSpec?
        let tensors: [Tensor]
        let parameters: Int
        let bytes: Int
        let memory: Memory?
        let warnings: [String]

        private enum CodingKeys: String, CodingKey {
            case path, format, family, spec, imageSpec = "image_spec", tensors, parameters, bytes, memory, warnings
        }

        /// Keys without a value are there, as null.
        func encode(to encoder: any Swift.Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(path, forKey: .path)
            try container.encode(format, forKey: .format)
            try container.encode(family, forKey: .family)
            try container.encode(spec, forKey: .spec)
            try container.encodeIfPresent(imageSpec, forKey: .imageSpec)
            try container.encode(tensors, forKey: .tensors)
            try container.encode(parameters, forKey: .parameters)
            try container.encode(bytes, forKey: .bytes)
            try container.encode(memory, forKey: .memory)
            try container.encode(warnings, forKey: .warnings)
        }

        init(_ inspection: Inspection) {
            path = inspection.path
            format = inspection.format
            family = inspection.family
            spec = inspection.spec
            imageSpec = inspection.imageSpec
            tensors = inspection.tensors.map { Tensor(name: $0.name, type: $0.type, shape: $0.shape, bytes: $0.bytes) }
            parameters = inspection.parameters
            bytes = inspection.bytes
            memory = inspection.memory.map {
                Memory(weights_bytes: $0.weights, cache_bytes_per_token: $0.cachePerToken)
            }
            warnings = inspection.warnings
        }
    }
}
