internal import TinyJSON

/// A file's `pre_tokenizer`, step by step.
struct PreTokenizerReader {
    private(set) var preTokenizer = PreTokenizer()
    /// Whether there is a step that writes bytes as visible characters; behind it, text is in that alphabet.
    private(set) var isByteLevel = false

    init(_ root: inout FileSection) throws(TokenizerError) {
        guard var section = try root.optionalSection("pre_tokenizer") else { return }
        try read(&section)
        let count = max(preTokenizer.before.count, preTokenizer.after.count)
        if count > CutCursor.stepLimit {
            throw root.error("pre_tokenizer", "\(count) steps", "at most \(CutCursor.stepLimit)")
        }
    }

    private mutating func read(_ section: inout FileSection) throws(TokenizerError) {
        switch try section.string("type") {
        case "Sequence":
            for var step in try section.sections("pretokenizers") { try read(&step) }
        case "ByteLevel":
            if isByteLevel { throw section.error("type", "ByteLevel twice", "it once") }
            section.ignore("trim_offsets")
            if try section.bool("add_prefix_space", default: true) { try change(.space, section) }
            if try section.bool("use_regex", default: true) { append(.pattern(.classic)) }
            isByteLevel = true
        case "Metaspace": try readMetaspace(&section)
        case "Digits":
            let individually = try section.bool("individual_digits", default: false)
            append(isByteLevel ? .byteDigits(individually: individually) : .digits(individually: individually))
        case "Split":
            let cut = try Self.split(&section)
            // Of what can follow, only digits are the same in the byte alphabet.
            if isByteLevel {
                guard case .runs(let pattern) = cut, pattern.members == .asciiDigits else {
                    throw section.error("type", "Split behind ByteLevel", "it in front")
                }
            }
            append(cut)
        case "BertPreTokenizer":
            append(.whitespace)
            append(.punctuation(together: false))
        case "Whitespace": append(.words)
        case "WhitespaceSplit": append(.whitespace)
        case "Punctuation":
            switch try section.optionalString("behavior") ?? "Isolated" {
            case "Isolated": append(.punctuation(together: false))
            case "Contiguous": append(.punctuation(together: true))
            case let behavior:
                throw section.error("behavior", quoted(behavior), "Isolated or Contiguous; others are not supported")
            }
        case let type:
            throw section.error(
                "type", quoted(type),
                "Sequence, ByteLevel, Metaspace, Digits, Split, BertPreTokenizer, Whitespace, WhitespaceSplit or "
                    + "Punctuation; others are not supported")
        }
        if isByteLevel, case .some(.words) = last {
            throw section.error("type", "a step behind ByteLevel", "it in front")
        }
        try section.finish()
    }

    private var last: Cut? { preTokenizer.change == nil ? preTokenizer.before.last : preTokenizer.after.last }

    private mutating func append(_ cut: Cut) {
        if preTokenizer.change == nil { preTokenizer.before.append(cut) } else { preTokenizer.after.append(cut) }
    }

    private mutating func change(_ change: PreTokenizer.Change, _ section: FileSection) throws(TokenizerError) {
        if preTokenizer.change != nil { throw section.error("type", "a second step that changes the text", "one") }
        preTokenizer.change = change
    }

    private mutating func readMetaspace(_ section: inout FileSection) throws(TokenizerError) {
        section.ignore("str_rep")
        let mark = Array(try section.string("replacement").utf8)
        if mark.isEmpty { throw section.error("replacement", "an empty text", "a character") }
        let addsSpace = try section.bool("add_prefix_space", default: true)
        let scheme: PreTokenizer.SpaceMarks.Scheme
        switch try section.optionalString("prepend_scheme") {
        case "first": scheme = .first
        case "always": scheme = .always
        case "never": scheme = .never
        case nil: scheme = addsSpace ? .always : .never
        case let other?: throw section.error("prepend_scheme", quoted(other), "first, always or never")
        }
        try change(.marks(PreTokenizer.SpaceMarks(mark: mark, scheme: scheme)), section)
        if try section.bool("split", default: true) { append(.inFront(mark)) }
    }

    private static func split(_ section: inout FileSection) throws(TokenizerError) -> Cut {
        let behavior = try section.string("behavior")
        let isInverted = try section.bool("invert", default: false)
        var pattern = try section.section("pattern")
        let literal = try pattern.optionalString("String")
        let expression = try pattern.optionalString("Regex")
        try pattern.finish()
        func refused() -> TokenizerError {
            section.error(
                "behavior", "\(quoted(behavior))\(isInverted ? ", inverted" : "")", "another for this pattern")
        }
        switch (literal, expression) {
        case (let literal?, nil):
            if literal.isEmpty { throw pattern.error("String", "an empty text", "text") }
            switch (behavior, isInverted) {
            case ("MergedWithPrevious", false): return .behind(Array(literal.utf8))
            case ("MergedWithNext", false): return .inFront(Array(literal.utf8))
            default: throw refused()
            }
        case (nil, let text?):
            guard let known = Cut(regularExpression: text) else {
                throw pattern.error("Regex", quoted(text), "a pattern that is known; others are not supported")
            }
            switch (behavior, isInverted) {
            case ("Isolated", false) where known != .caseless: return known
            case ("Removed", true) where known == .caseless || known.coversText: return known
            default: throw refused()
            }
        default: throw section.error("pattern", "not one text", "a String or a Regex")
        }
    }
}
