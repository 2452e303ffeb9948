internal import TinyJSON

extension Frame {
    /// A file's `post_processor`.
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
            let specials = try section.section("special_tokens")
            let single = try Self.template("single", &section, specials)
            let outer = self.single.firstIndex(of: .first(type: 0)) ?? 0
            self.single = self.single[..<outer] + single + self.single[(outer + 1)...]
            // Some write an empty one: they have no use for two texts.
            let pair = try Self.template("pair", &section, specials)
            self.pair = pair.isEmpty ? nil : pair
            if !single.contains(where: { if case .first = $0 { true } else { false } }) {
                throw section.error("single", "no text", "the text, with tokens around it")
            }
        case "BertProcessing":
            self = Frame(opening: [try token("cls", &section)], separator: [try token("sep", &section)], doubled: false)
        case "RobertaProcessing":
            section.ignore("trim_offsets", "add_prefix_space")
            self = Frame(opening: [try token("cls", &section)], separator: [try token("sep", &section)], doubled: true)
        case "Sequence" where !insideSequence:
            for var step in try section.sections("processors") { try read(&step, insideSequence: true) }
        case let type:
            throw section.error(
                "type", quoted(type),
                "ByteLevel, TemplateProcessing, BertProcessing or RobertaProcessing; others are not supported")
        }
        try section.finish()
    }

    /// `["[SEP]", 102]`
    private func token(_ key: String, _ section: inout FileSection) throws(TokenizerError) -> Int {
        let parts = try section.array(key)
        guard parts.count == 2, parts[0].string != nil, let id = parts[1].integer else {
            throw section.error(key, "an array of \(parts.count)", "a token and its id")
        }
        return id
    }

    private static func template(
        _ key: String, _ section: inout FileSection, _ specials: FileSection
    ) throws(TokenizerError) -> [Part] {
        var parts: [Part] = []
        for var part in try section.sections(key, optional: key == "pair") {
            if var text = try part.optionalSection("Sequence") {
                let name = try text.string("id")
                let type = try text.integer("type_id")
                try text.finish()
                guard name == "A" || name == "B" && key == "pair" else {
                    throw text.error("id", quoted(name), key == "pair" ? "A or B" : "A")
                }
                let new = name == "A" ? Part.first(type: type) : .second(type: type)
                if parts.contains(where: { isSame($0, new) }) {
                    throw section.error(key, "a text twice", "each text once")
                }
                parts.append(new)
            } else {
                var mark = try part.section("SpecialToken")
                let type = try mark.integer("type_id")
                let name = try mark.string("id")
                try mark.finish()
                guard let ids = specials.object[name]?.object?["ids"]?.array else {
                    throw specials.error(name, "no ids", "the ids of a token that the template uses")
                }
                // A template may name a token many times, and a token may be many.
                guard parts.count + ids.count <= 1000 else {
                    throw section.error(key, "more than 1000 tokens", "at most so many")
                }
                for id in ids {
                    guard let id = id.integer else { throw specials.error(name + ".ids", id.kind, "a number") }
                    parts.append(.token(id, type: type))
                }
            }
            try part.finish()
        }
        return parts
    }

    private static func isSame(_ a: Part, _ b: Part) -> Bool {
        switch (a, b) {
        case (.first, .first), (.second, .second): true
        default: false
        }
    }
}
