import TinyJSON
public import TinyLayers
package import TinyLoader
public import TinyTensor
public import TinyTokenizer

/// A model, ready to run: its architecture, weights and tokenizer. Immutable, and shared by as many users as there are.
public final class Model: Sendable {
    /// What was opened.
    public let path: String
    /// The family's name: "LLaMA", "GPT-2".
    public let family: String
    /// The architecture, every number filled in.
    public let spec: ModelSpec
    /// What the files hold that was not understood or not needed; empty when all is accounted for.
    public let warnings: [String]
    package let checkpoint: Checkpoint
    package let transformer: Transformer
    /// What reads images, where the files hold that too.
    package let imageTransformer: Transformer?
    package let compute: Compute
    private let tokenizerResult: Result<Tokenizer, any Error>
    /// Tokens that the configuration names as ends of a text, the chief one first.
    package let configuredEnds: [Int]
    /// The token that begins a text, as the configuration names it.
    package let configuredBeginning: Int?

    /// Opens a model.
    ///
    /// - Parameters:
    ///   - path: a GGUF file, a safetensors file with its `config.json` beside it, or a Hugging Face folder; recognised
    ///     by content.
    ///   - threads: how many threads to use; the cores this process may use, if nil.
    /// - Throws: `FormatError` where a file is bad, `ModelError` where the model is not supported or not complete,
    ///   `CPUError` where the environment asks for an instruction set that is not there.
    public convenience init(at path: String, precision: Precision = .fast, threads: Int? = nil) throws {
        try self.init(at: path, precision: precision, threads: threads, onWeights: nil)
    }

    /// - Parameter onWeights: told of each slot's weights as they are bound.
    package init(at path: String, precision: Precision, threads: Int?, onWeights: ((Slot, Weights) -> Void)?) throws {
        let compute = try Compute(precision: precision, threads: threads)
        let recipe = try Recipe(checkpoint: Checkpoint(path: path))
        let binder = recipe.binder(compute)
        binder.onWeights = onWeights
        transformer = try binder.transformer(recipe.spec)
        let imageBinder = recipe.imageBinder(compute)
        imageTransformer = try recipe.imageTower.flatMap { tower in try imageBinder?.transformer(tower.spec) }
        self.path = path
        self.compute = compute
        checkpoint = recipe.checkpoint
        family = recipe.family.name
        spec = recipe.spec
        warnings = recipe.warnings(binder, imageBinder)
        configuredEnds = recipe.endOfText
        configuredBeginning = recipe.beginningOfText
        let ends = recipe.endOfText
        tokenizerResult = Result {
            // A token beyond the table, as some files add one for padding, is an error where it is used.
            try recipe.tokenizer().adding(endOfText: ends)
        }
    }

    /// The model's tokenizer.
    ///
    /// - Throws: why there is none; a model runs on token ids without.
    public var tokenizer: Tokenizer {
        get throws { try tokenizerResult.get() }
    }

    /// The tokens of a text, with what the model wants in front of every text.
    public func tokens(_ text: String) throws -> [Int] { try tokenizer.encodePrompt(text) }

    /// Tokens at which a text ends.
    public var endOfText: Set<Int> { (try? tokenizer.endOfText) ?? Set(configuredEnds) }

    /// Positions beyond which the model was not made to work; nil where its rotation stretches with the text.
    public var contextLimit: Int? {
        let stretches = spec.layers.contains {
            if case .dynamic = $0.attention.rotary?.scaling { true } else { false }
        }
        return stretches ? nil : spec.context
    }

    /// The instruction set whose kernels are used: "avx512vnni", "avx2", "plain".
    public var instructionSet: String { compute.kernels.name }

    /// The threads that share the work.
    public var threads: Int { compute.pool.threadCount }

    /// Weights in the files, shared ones counted once.
    public var parameterCount: Int { checkpoint.index.parameterCount }

    /// Whether activations of a prompt are rounded to other bits than those of a new token.
    package var roundsPrompts: Bool { checkpoint.index.roundsPrompts(compute) }

    /// The chat templates among the model's files.
    package func chatTemplateFiles() throws -> ChatTemplateFiles { try ChatTemplateFiles(checkpoint) }
}
