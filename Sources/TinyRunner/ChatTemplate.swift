import TinyModels
import TinyTemplate
import TinyTokenizer

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// How a model's makers frame a conversation.
struct ChatTemplate: Sendable {
    private let template: Template
    private let constants: [(String, Value)]

    /// - Throws: `RunnerError.noChatTemplate`, or what is wrong with the template.
    init(_ model: Model) throws {
        guard let source = try model.chatTemplate() else { throw RunnerError.noChatTemplate(file: model.path) }
        template = try Template(source)
        let tokenizer = try model.tokenizer
        func value(_ token: Int?) -> Value { .trusted(token.flatMap { try? tokenizer.piece($0) } ?? "") }
        constants = [
            ("bos_token", value(tokenizer.beginningOfText ?? model.configuredBeginning)),
            ("eos_token", value(model.configuredEnds.first)),
        ]
    }

    /// The conversation's tokens, up to where the assistant is to speak. Text that somebody wrote is never read as a
    /// special token, whatever it looks like.
    func tokens(_ messages: [Chat.Message], tokenizer: Tokenizer) throws -> [Int] {
        let list = messages.map { Value.object([("role", .trusted($0.role.rawValue)), ("content", .string($0.text))]) }
        let values = constants + [("messages", .array(list)), ("add_generation_prompt", .bool(true))]
        let segments = try template.renderSegments(values, date: Self.today)
        return tokenizer.encode(segments.map { Tokenizer.Segment(text: $0.text, isTrusted: $0.isTemplate) })
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
