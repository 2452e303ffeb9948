import Testing

@testable import TinyTokenizer

@Suite struct TokenizerFixtureTests {
    @Test(arguments: TokenizerFixture.names + TokenizerFixture.models + TokenizerFixture.ranks)
    func equalsTheReference(_ name: String) throws {
        let fixture = try TokenizerFixture(name)
        let knowsSpecial = !TokenizerFixture.models.contains(name)
        for item in fixture.cases {
            #expect(fixture.tokenizer.encode(item.text) == item.plain, "\(quoted(item.text))")
            if knowsSpecial {
                #expect(fixture.tokenizer.encode(item.text, special: true) == item.special, "\(quoted(item.text))")
            }
        }
    }

    @Test(arguments: TokenizerFixture.names)
    func framesAsTheReference(_ name: String) throws {
        let fixture = try TokenizerFixture(name)
        let framed = try #require(fixture.framed("framed"))
        #expect(try fixture.tokenizer.encodeFramed("Hello there") == framed)
        let closing = fixture.tokenizer.closing.count
        #expect(fixture.tokenizer.encodePrompt("Hello there") == Array(framed.tokens.dropLast(closing)))
        if let pair = fixture.framed("pair") {
            #expect(try fixture.tokenizer.encodeFramed("Hello", "there x") == pair)
        } else {
            #expect(message { try fixture.tokenizer.encodeFramed("a", "b") }?.contains("no frame for two") == true)
        }
    }

    @Test(arguments: TokenizerFixture.names + TokenizerFixture.models)
    func decodesAsTheReference(_ name: String) throws {
        let fixture = try TokenizerFixture(name)
        for item in fixture.decodes {
            if let text = item.text {
                #expect(try Array(fixture.tokenizer.decode(item.ids).utf8) == Array(text.utf8), "\(item.ids)")
            }
            let skipped = try fixture.tokenizer.decode(item.ids, skipSpecial: true)
            #expect(Array(skipped.utf8) == Array(item.skipped.utf8), "\(item.ids): \(skipped) \(item.skipped)")
        }
    }

    /// Whatever was streamed, joined, is the text decoded at once: ids of texts, and random ids.
    @Test(arguments: TokenizerFixture.names + TokenizerFixture.models + TokenizerFixture.ranks)
    func streamsAsItDecodes(_ name: String) throws {
        let fixture = try TokenizerFixture(name)
        for ids in fixture.decodes.map(\.ids) + fixture.cases.map(\.special) {
            for skipSpecial in [false, true] {
                var stream = TextStream(fixture.tokenizer, skipSpecial: skipSpecial)
                var streamed = ""
                for id in ids { streamed += stream.append(id) }
                streamed += stream.finish()
                let text = try fixture.tokenizer.decode(ids, skipSpecial: skipSpecial)
                #expect(Array(streamed.utf8) == Array(text.utf8), "\(ids)")
            }
        }
    }

    /// Every byte has a token here, so nothing may be lost; `<keep>` and `</s>` swallow white space and are left out.
    @Test(arguments: TokenizerFixture.byteLevel.filter { !["classic-prefix", "composed", "caseless"].contains($0) })
    func decodingGivesTheTextBack(_ name: String) throws {
        let fixture = try TokenizerFixture(name)
        for item in fixture.cases where !item.text.contains("<keep>") && !item.text.contains("</s>") {
            for special in [false, true] {
                let text = try fixture.tokenizer.decode(fixture.tokenizer.encode(item.text, special: special))
                #expect(Array(text.utf8) == Array(item.text.utf8), "\(quoted(item.text))")
            }
        }
    }

    @Test func specialTokensAreKnown() throws {
        let fixture = try TokenizerFixture("groups-of-three")
        let tokenizer = fixture.tokenizer
        let begin = try #require(tokenizer.id(of: "<s>"))
        #expect(tokenizer.beginningOfText == begin)
        #expect(tokenizer.opening == [begin])
        #expect(tokenizer.isSpecial(begin))
        let keep = try #require(tokenizer.id(of: "<keep>"))
        #expect(!tokenizer.isSpecial(keep))
        #expect(tokenizer.id(of: "hello") == nil)
        #expect(try tokenizer.decode([begin, keep]) == "<s><keep>")
        #expect(try tokenizer.decode([begin, keep], skipSpecial: true) == "<keep>")
        #expect(tokenizer.encode("<s>", special: true) == [begin])
        #expect(!tokenizer.encode("<s>").contains(begin))
        #expect(tokenizer.adding(endOfText: [keep]).endOfText == [keep])
    }

    @Test func bytesThatAreNotTextSurvive() throws {
        let tokenizer = try TokenizerFixture("digits").tokenizer
        let bytes: [UInt8] = [0x41, 0xFF, 0xE4, 0xB8, 0x31, 0xC0, 0x80, 0xED, 0xA0, 0x80, 0xF4, 0x90, 0x80, 0x80, 0xF0]
        let tokens = tokenizer.encode(utf8: bytes)
        #expect(tokens.flatMap { tokenizer.bytes(of: $0) ?? [] } == bytes)
        #expect(try tokenizer.decode(tokens) == String(decoding: bytes, as: UTF8.self))
    }

    /// Quadratic work would take minutes here.
    @Test(.timeLimit(.minutes(1)), arguments: ["a", " ", "\n", "'", "<", "=", "\u{301}\u{323}", "中"])
    func longRunsAreNoTrouble(_ unit: String) throws {
        let tokenizer = try TokenizerFixture("composed").tokenizer
        let text = String(repeating: unit, count: 30_000)
        let tokens = tokenizer.encode(text)
        #expect(!tokens.isEmpty)
        #expect(try tokenizer.decode(tokens) == text)
    }
}

/// The text of a token that is searched in normalized text is normalized too, and may then begin with another byte.
@Test func addedTokensAreNormalizedWithTheText() throws {
    let added = "\"added_tokens\":[{\"id\":257,\"content\":\"e\u{301}!\",\"normalized\":true}]"
    let tokenizer = try tokenizerFile(
        ("\"added_tokens\":[]", added), ("\"normalizer\":null", "\"normalizer\":{\"type\":\"NFC\"}"))
    #expect(tokenizer.encode("ab\u{E9}!") == [256, 257])
    #expect(tokenizer.encode("abe\u{301}!") == [256, 257])
}
