internal import TinyJSON

extension Normalizer {
    init(_ root: inout FileSection) throws(TokenizerError) {
        guard var section = try root.optionalSection("normalizer") else {
            self = .none
            return
        }
        switch try section.string("type") {
        case "NFC": self = .canonicalComposition
        case "Sequence":
            self = .none
            for var step in try section.sections("normalizers") {
                try step.expect("type", .string("NFC"))
                try step.finish()
                self = .canonicalComposition
            }
        case let type: throw section.error("type", quoted(type), "NFC; others are not supported")
        }
        try section.finish()
    }
}

extension PreTokenizer {
    init(_ root: inout FileSection) throws(TokenizerError) {
        var section = try root.section("pre_tokenizer")
        self.init(steps: [])
        var addsSpace = false
        var isByteLevel = false
        if try section.string("type") == "Sequence" {
            for var step in try section.sections("pretokenizers") {
                if isByteLevel { throw step.error("type", "a step behind ByteLevel", "ByteLevel as the last one") }
                isByteLevel = try append(&step, addsSpace: &addsSpace)
            }
            try section.finish()
        } else {
            isByteLevel = try append(&section, addsSpace: &addsSpace)
        }
        guard isByteLevel else {
            throw root.error("pre_tokenizer", "no ByteLevel step", "one; other vocabularies are not supported")
        }
        // It would put a space in front of every piece of the steps before, not of the text.
        let isOnlyStep = steps.count <= 1 && !steps.contains(where: { $0 == .digits(individually: true) })
        if addsSpace && !isOnlyStep {
            throw root.error("pre_tokenizer", "add_prefix_space true behind other steps", "false there")
        }
        self.addsSpace = addsSpace
    }

    /// Appends one step; true if it is ByteLevel.
    private mutating func append(_ section: inout FileSection, addsSpace: inout Bool) throws(TokenizerError) -> Bool {
        let type = try section.string("type")
        switch type {
        case "ByteLevel":
            addsSpace = try section.bool("add_prefix_space", default: true)
            if try section.bool("use_regex", default: true) { steps.append(.pattern(.classic)) }
            section.ignore("trim_offsets")
        case "Digits":
            steps.append(.digits(individually: try section.bool("individual_digits", default: false)))
        case "Split":
            steps.append(.pattern(try Self.pattern(&section)))
        default:
            throw section.error("type", quoted(type), "ByteLevel, Digits or Split; others are not supported")
        }
        try section.finish()
        return type == "ByteLevel"
    }

    /// Patterns are known by their text, not understood: the scanner has each of them, and no others.
    private static func pattern(_ section: inout FileSection) throws(TokenizerError) -> SplitPattern {
        try section.expect("behavior", .string("Isolated"))
        try section.expect("invert", .null, .bool(false))
        var pattern = try section.section("pattern")
        let text = try pattern.string("Regex")
        try pattern.finish()
        guard let known = SplitPattern(regularExpression: text) else {
            throw pattern.error(
                "Regex", quoted(text), "the pattern of GPT-2, LLaMA 3 or Qwen2; others are not supported")
        }
        return known
    }
}

extension SplitPattern {
    init?(regularExpression text: String) {
        let contractions = #"(?i:'s|'t|'re|'ve|'m|'ll|'d)"#
        let words = #"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"#
        let rest = #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
        switch text {
        case #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#: self = .classic
        case contractions + words + "{1,3}" + rest: self = .modern(digits: 3)
        case contractions + words + rest: self = .modern(digits: 1)
        default: return nil
        }
    }
}

/// The tokens that a file's `post_processor` puts around a text.
struct Frame {
    var opening: [Int] = []
    var closing: [Int] = []

    init(_ root: inout FileSection) throws(TokenizerError) {
        guard var section = try root.optionalSection("post_processor") else { return }
        try read(&section, insideSequence: false)
    }

    private mutating func read(_ section: inout FileSection, insideSequence: Bool) throws(TokenizerError) {
        switch try section.string("type") {
        case "ByteLevel":
            // It moves offsets, not tokens.
            section.ignore("add_prefix_space", "trim_offsets", "use_regex")
        case "TemplateProcessing":
            try readTemplate(&section)
        case "Sequence" where !insideSequence:
            for var step in try section.sections("processors") { try read(&step, insideSequence: true) }
        case let type:
            throw section.error("type", quoted(type), "ByteLevel or TemplateProcessing; others are not supported")
        }
        try section.finish()
    }

    private mutating func readTemplate(_ section: inout FileSection) throws(TokenizerError) {
        // Templates for two texts: we frame one.
        section.ignore("pair")
        let specials = try section.section("special_tokens")
        var opening: [Int] = []
        var closing: [Int] = []
        var isBehindText = false
        for var part in try section.sections("single") {
            if var text = try part.optionalSection("Sequence") {
                try text.expect("id", .string("A"))
                text.ignore("type_id")
                try text.finish()
                if isBehindText { throw section.error("single", "the text twice", "the text once") }
                isBehindText = true
            } else {
                var mark = try part.section("SpecialToken")
                mark.ignore("type_id")
                let name = try mark.string("id")
                try mark.finish()
                guard let ids = specials.object[name]?.object?["ids"]?.array else {
                    throw specials.error(name, "no ids", "the ids of a token that the template uses")
                }
                for id in ids {
                    guard let id = id.integer else { throw specials.error(name + ".ids", id.kind, "a number") }
                    if isBehindText { closing.append(id) } else { opening.append(id) }
                }
            }
            try part.finish()
        }
        guard isBehindText else { throw section.error("single", "no text", "the text, with tokens around it") }
        self.opening = opening + self.opening
        self.closing += closing
    }
}
