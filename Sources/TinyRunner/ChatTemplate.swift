public import TinyModels
public import TinyTemplate
public import TinyTokenizer

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// How a model's makers frame a conversation: one template, or several with names.
///
/// What somebody wrote is never read as a special token, whatever it looks like: the engine remembers of every letter
/// whether it is the template's own.
public struct ChatTemplate: Sendable {
    private struct Named: Sendable {
        let name: String
        let file: String
        let template: Result<Template, TemplateError>
        /// Tokens that are not met in somebody's text, for the template uses them itself.
        let control: Set<Int>
    }

    private var templates: [Named] = []
    /// Why there is no tokenizer, if the files hold a bad one.
    private var tokenizerError: (any Error)?
    /// What cuts the text into tokens, if the files hold it.
    public let tokenizer: Tokenizer?
    private var constants: [(String, TemplateValue)]
    /// Where the templates were looked for.
    private let path: String

    // MARK: Finding one

    /// The templates of a model.
    public init(_ model: Model) throws {
        try self.init(model.chatTemplateFiles(), path: model.path, tokenizer: model.tokenizer)
        fill("bos_token", (try? model.tokenizer).flatMap(\.beginningOfText) ?? model.configuredBeginning)
        fill("eos_token", model.configuredEnds.first)
        if templates.isEmpty { throw RunnerError.noChatTemplate(file: path) }
    }

    /// The templates among a model's files, which need not hold weights: a GGUF file, a Hugging Face folder, or a file in
    /// one. Without a tokenizer there, conversations can be rendered as text only.
    public init(at path: String) throws {
        let tokenizer = Result { try Tokenizer(at: path) }
        try self.init(ChatTemplateFiles(at: path), path: path, tokenizer: try? tokenizer.get())
        if case .failure(let error) = tokenizer { tokenizerError = error }
        if templates.isEmpty { throw RunnerError.noChatTemplate(file: path) }
    }

    /// A template from elsewhere.
    ///
    /// - Parameters:
    ///   - source: the template's text.
    ///   - file: what it is called in messages.
    ///   - path: the model's files, for its tokenizer and its special tokens.
    public init(source: String, file: String = "chat template", with path: String? = nil) throws {
        if let path {
            try self.init(ChatTemplateFiles(at: path), path: path, tokenizer: Tokenizer(at: path))
        } else {
            self.init(path: file, tokenizer: nil, constants: [])
        }
        templates = [named("default", source, file)]
        if case .failure(let error) = templates[0].template { throw ChatTemplateError(file: file, error: error) }
    }

    private init(path: String, tokenizer: Tokenizer?, constants: [(String, TemplateValue)]) {
        (self.path, self.tokenizer, self.constants) = (path, tokenizer, constants)
    }

    private init(_ files: ChatTemplateFiles, path: String, tokenizer: Tokenizer?) throws {
        self.init(
            path: path, tokenizer: tokenizer, constants: files.specialTokens.map { ($0.name, .trusted($0.text)) })
        templates = files.templates.map { named($0.name, $0.source, $0.file) }
        fill("bos_token", tokenizer?.beginningOfText)
    }

    private func named(_ name: String, _ source: String, _ file: String) -> Named {
        let template = Result { () throws(TemplateError) in try Template(source) }
        let literals = (try? template.get())?.literals
        return Named(
            name: name, file: file, template: template,
            control: literals.flatMap { tokenizer?.controlTokens(in: $0) } ?? [])
    }

    /// A special token that the files name by its id only.
    private mutating func fill(_ name: String, _ id: Int?) {
        guard !constants.contains(where: { $0.0 == name }), let id, let text = try? tokenizer?.piece(id) else { return }
        constants.append((name, .trusted(text)))
    }

    /// The templates' names; "default" if there is only one.
    public var names: [String] { templates.map(\.name) }

    // MARK: Rendering

    /// The conversation as the template frames it.
    ///
    /// - Parameter name: which template; if nil, "tool_use" for a conversation with tools if there is one, else "default".
    /// - Throws: `RunnerError` for a name that is not there or a conversation that is none; `ChatTemplateError` where the
    ///   template is at fault, or refuses the conversation.
    public func text(of conversation: Conversation, named name: String? = nil) throws -> String {
        try render(conversation, choose(name, conversation)).map(\.text).joined()
    }

    /// The conversation's tokens.
    public func tokens(of conversation: Conversation, named name: String? = nil) throws -> [Int] {
        guard let tokens = try rendered(conversation, named: name).tokens else {
            throw missingTokenizer
        }
        return tokens
    }

    /// Why there are no tokens.
    var missingTokenizer: any Error { tokenizerError ?? RunnerError.noTokenizer(file: path) }

    /// Text and tokens by one rendering; no tokens without a tokenizer.
    public func rendered(
        _ conversation: Conversation, named name: String? = nil
    ) throws -> (text: String, tokens: [Int]?) {
        let (segments, control) = try segments(of: conversation, named: name)
        return (segments.map(\.text).joined(), tokenizer?.encode(segments, control: control))
    }

    /// What is to be cut into tokens, and which tokens are not met in somebody's text.
    func segments(
        of conversation: Conversation, named name: String? = nil
    ) throws -> (segments: [Tokenizer.Segment], control: Set<Int>) {
        let chosen = try choose(name, conversation)
        let segments = try render(conversation, chosen)
        return (segments.map { Tokenizer.Segment(text: $0.text, isTrusted: $0.isTemplate) }, chosen.control)
    }

    private func choose(_ name: String?, _ conversation: Conversation) throws -> Named {
        if let name {
            if let template = templates.first(where: { $0.name == name }) { return template }
            throw RunnerError.noChatTemplateNamed(name, file: path, available: names)
        }
        if conversation.tools != nil, templates.count > 1,
            let template = templates.first(where: { $0.name == "tool_use" })
        {
            return template
        }
        if let template = templates.first(where: { $0.name == "default" }) { return template }
        throw RunnerError.noChatTemplateNamed("default", file: path, available: names)
    }

    private func render(_ conversation: Conversation, _ chosen: Named) throws -> [TemplateSegment] {
        if conversation.continuesLast {
            var (marked, mark) = try conversation.marked()
            marked.continuesLast = false
            return try render(marked, chosen).cut(at: mark)
        }
        let values = try conversation.values(constants)
        do throws(TemplateError) {
            return try chosen.template.get().renderSegments(values, date: Self.today)
        } catch {
            throw ChatTemplateError(file: chosen.file, name: templates.count > 1 ? chosen.name : nil, error: error)
        }
    }

    private static var today: TemplateDate? {
        var now = time(nil)
        var local = tm()
        guard localtime_r(&now, &local) != nil else { return nil }
        return TemplateDate(
            year: Int(local.tm_year) + 1900, month: Int(local.tm_mon) + 1, day: Int(local.tm_mday),
            hour: Int(local.tm_hour), minute: Int(local.tm_min), second: Int(local.tm_sec))
    }
}

/// What is wrong with a chat template, or why it refuses a conversation, and where.
public struct ChatTemplateError: Error, Equatable, CustomStringConvertible {
    public let file: String
    /// The template's name, where the file's are several.
    public let name: String?
    public let error: TemplateError

    init(file: String, name: String? = nil, error: TemplateError) {
        (self.file, self.name, self.error) = (file, name, error)
    }

    public var description: String { "\(file): \(name.map { "\"\($0)\", " } ?? "")\(error)" }
}
