import TinyLayers
package import TinyLoader
package import TinyModels
import TinyTensor

/// A model's outputs held against a reference file: every output that the file has, compared row by row.
///
/// The format of the file is in the documentation's article on references.
package struct Verification: Sendable {
    /// One output of the reference.
    package struct Output: Sendable {
        package let name: String
        package internal(set) var rows = 0
        package internal(set) var maxAbsDiff = 0.0
        package internal(set) var maxAbsReference = 0.0
        package internal(set) var firstBadRow: Int?
        /// Rows whose largest element is the same one; logits only.
        package internal(set) var agreeingRows: Int?
        var sumOfDiffs = 0.0
        var elements = 0

        package var meanAbsDiff: Double { elements == 0 ? 0 : sumOfDiffs / Double(elements) }
        package var passed: Bool { firstBadRow == nil }
        package var agreement: Double? { agreeingRows.map { rows == 0 ? 1 : Double($0) / Double(rows) } }
    }

    package let tolerance: Double
    /// In the order of computation: the stream after each layer, the final state, logits, the greedy continuation.
    package private(set) var outputs: [Output] = []
    /// Outputs of the reference that the model's files hold nothing for: a file may come without its head.
    package private(set) var skipped: [String] = []
    package private(set) var metadata: [(key: String, value: String)] = []

    package var passed: Bool { outputs.allSatisfy(\.passed) }

    /// The first layer whose output is wrong; 0 is the stem.
    package var firstBadLayer: Int? {
        outputs.first { !$0.passed && $0.name.hasPrefix("hidden.") }.flatMap { Int($0.name.dropFirst("hidden.".count)) }
    }

    /// The output that is furthest from its reference.
    package var worst: Output? {
        if let logits = outputs.first(where: { $0.name == "logits" }), !logits.passed { return logits }
        return outputs.filter { $0.name != "greedy" }
            .max { $0.maxAbsDiff / max($0.maxAbsReference, 1e-30) < $1.maxAbsDiff / max($1.maxAbsReference, 1e-30) }
    }

    /// - Parameters:
    ///   - reference: a safetensors file with `token_ids` and outputs.
    ///   - tolerance: how far an element may be off, as a part of the reference's largest.
    ///   - chunk: tokens in one pass.
    package init(model: Model, reference: Safetensors, tolerance: Double, chunk: Int? = nil) throws {
        self.tolerance = tolerance
        metadata = reference.metadata
        let tokens = try Self.tokens(reference)
        var streams: [Int: Comparison] = [:]
        var final: Comparison?
        var logits: Comparison?
        var greedy: StoredTensor?
        var types: [Int]?
        var pixels: StoredTensor?
        var pooled: Comparison?
        var isRow = false
        var text: Comparison?
        var image: Comparison?
        for tensor in reference.index.tensors {
            func comparison(width: Int) throws -> Comparison {
                try Comparison(tensor, rows: tokens.count, width: width, tolerance: tolerance)
            }
            switch tensor.name {
            case "token_ids": break
            case "logits" where model.spec.head == nil, "pooler_output" where model.spec.pooler == nil,
                "text_embeds" where model.spec.pooler == nil, "image_embeds" where model.imageTransformer == nil:
                skipped.append(tensor.name)
            case "logits":
                logits = try comparison(width: model.spec.vocabulary)
                logits?.output.agreeingRows = 0
            case "last_hidden_state": final = try comparison(width: model.spec.width)
            case "greedy": greedy = tensor
            case "token_type_ids": types = try tensor.integers()
            case "pixel_values": pixels = tensor
            case "pooler_output":
                // Some references mean the row that speaks for the text, before it is projected.
                let width = model.spec.pooler?.width ?? 0
                isRow = tensor.shape != [width] && tensor.shape == [model.spec.width]
                pooled = try Comparison(
                    tensor, rows: nil, width: isRow ? model.spec.width : width, tolerance: tolerance)
            case "text_embeds":
                text = try Comparison(
                    tensor, rows: nil, width: model.spec.pooler?.width ?? 0, tolerance: tolerance)
            case "image_embeds":
                image = try Comparison(
                    tensor, rows: nil, width: model.imageTransformer?.spec.pooler?.width ?? 0, tolerance: tolerance)
            case let name where name.hasPrefix("hidden."):
                guard let layer = Int(name.dropFirst("hidden.".count)), (0...model.spec.layers.count).contains(layer)
                else {
                    throw RunnerError.badReference(
                        file: reference.path,
                        reason: "\(printable(name)) is of no layer; the model has \(model.spec.layers.count)")
                }
                streams[layer] = try comparison(width: model.spec.width)
            default:
                throw RunnerError.badReference(
                    file: reference.path,
                    reason: "\(printable(tensor.name)) is nothing that a model of this kind takes or gives")
            }
        }

        if let types, types.count != tokens.count || types.contains(where: { $0 < 0 || $0 >= model.tokenTypes }) {
            throw RunnerError.badReference(
                file: reference.path,
                reason: "\"token_type_ids\" should hold \(tokens.count) numbers below \(model.tokenTypes)")
        }
        // Logits for every token of a long prompt cost much, and a reference may hold nothing but its continuation.
        if !streams.isEmpty || final != nil || logits != nil || pooled != nil || text != nil {
            var decoder = Decoder(
                model: model, capacity: tokens.count, chunk: min(chunk ?? 32, tokens.count), allLogits: true)
            let points = streams.keys.map(Probe.Point.stream) + (final == nil ? [] : [.final])
            try decoder.readAll(
                tokens, types: types,
                probe: Probe(points) { reading, values in
                    switch reading.point {
                    case .stream(let layer): streams[layer]?.compare(values, first: reading.positions[0])
                    default: final?.compare(values, first: reading.positions[0])
                    }
                },
                pooled: {
                    pooled?.compare(isRow ? $0.row : $0.vector)
                    text?.compare($0.embedding)
                }
            ) { start, rows in
                logits?.compare(rows, first: start)
            }
        }
        outputs = streams.sorted { $0.key < $1.key }.map(\.value.output)
        if image != nil {
            guard let pixels else {
                throw RunnerError.badReference(file: reference.path, reason: "holds no \"pixel_values\"")
            }
            image?.compare(try model.imageVector(pixels.imageValues()))
        }
        outputs += [final?.output, logits?.output, pooled?.output, text?.output, image?.output].compactMap(\.self)
        if let greedy { outputs.append(try Self.compareGreedy(greedy, prompt: tokens, model: model)) }
        if outputs.isEmpty {
            throw RunnerError.badReference(file: reference.path, reason: "holds no outputs to compare with")
        }
    }

    private static func tokens(_ reference: Safetensors) throws -> [Int] {
        guard let tensor = reference.index["token_ids"] else {
            throw RunnerError.badReference(file: reference.path, reason: "holds no \"token_ids\"")
        }
        guard tensor.shape.count == 1, tensor.elementCount > 0 else {
            throw RunnerError.badReference(
                file: reference.path, reason: "\"token_ids\" has shape \(tensor.shape); [T] is expected")
        }
        return try tensor.integers()
    }

    /// Continues the prompt by the likeliest token, step by step with the cache, and compares the tokens.
    private static func compareGreedy(_ tensor: StoredTensor, prompt: [Int], model: Model) throws -> Output {
        let expected = try tensor.integers()
        var output = Output(name: "greedy")
        var decoder = model.decoder(capacity: prompt.count + expected.count)
        var sampler = try Sampler(.greedy, prompt: [], vocabulary: model.spec.vocabulary)
        var token = try decoder.read(prompt) { sampler.next($0) }
        for (row, wanted) in expected.enumerated() {
            if row > 0 { token = try decoder.step(token) { sampler.next($0) } }
            output.rows += 1
            if token == wanted { continue }
            output.firstBadRow = row
            break
        }
        return output
    }
}

/// One reference tensor, compared as rows come in.
private struct Comparison {
    var output: Verification.Output
    private let expected: [Float]
    private let width: Int
    private let limit: Double

    /// - Parameter rows: nil for a single vector `[width]`.
    init(_ tensor: StoredTensor, rows: Int?, width: Int, tolerance: Double) throws {
        let shape = (rows.map { [$0] } ?? []) + [width]
        guard tensor.shape == shape else {
            throw RunnerError.badReference(
                file: tensor.file,
                reason: "\(printable(tensor.name)) has shape \(tensor.shape); \(shape) is expected")
        }
        expected = try tensor.matrix().floats()
        guard expected.allSatisfy(\.isFinite) else {
            throw RunnerError.badReference(
                file: tensor.file, reason: "\(printable(tensor.name)) holds a value that is no finite number")
        }
        self.width = width
        output = Verification.Output(name: tensor.name)
        output.maxAbsReference = expected.reduce(0) { max($0, Double(abs($1))) }
        limit = tolerance * output.maxAbsReference
    }

    /// A vector for the whole text or image.
    mutating func compare(_ vector: [Float]) { compare(vector.span, first: 0) }

    mutating func compare(_ rows: Rows, first: Int) {
        compare(UnsafeBufferPointer(start: rows.base, count: rows.count * rows.width).span, first: first)
    }

    /// Rows `[T, width]`, the first of them that of token `first`.
    mutating func compare(_ values: Span<Float>, first: Int) {
        values.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            compare(base, rows: buffer.count / width, first: first)
        }
    }

    private mutating func compare(_ values: UnsafePointer<Float>, rows: Int, first: Int) {
        for t in 0..<rows {
            let (row, actual) = (first + t, values + t * width)
            var isBad = false
            var (likeliest, wanted) = (0, 0)
            for i in 0..<width {
                let reference = expected[row * width + i]
                var diff = abs(Double(actual[i]) - Double(reference))
                if diff.isNaN { diff = .infinity }
                output.maxAbsDiff = max(output.maxAbsDiff, diff)
                output.sumOfDiffs += diff
                if diff > limit { isBad = true }
                if actual[i] > actual[likeliest] { likeliest = i }
                if reference > expected[row * width + wanted] { wanted = i }
            }
            output.elements += width
            output.rows += 1
            if output.agreeingRows != nil {
                if likeliest == wanted { output.agreeingRows? += 1 } else { isBad = true }
            }
            if isBad && output.firstBadRow == nil { output.firstBadRow = row }
        }
    }
}
