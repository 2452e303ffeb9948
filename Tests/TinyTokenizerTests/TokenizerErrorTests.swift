import Testing
import TinyJSON

@testable import TinyTokenizer

/// Each way a file can be bad, with the smallest input that is.
@Suite struct TokenizerErrorTests {
    @Test func goodOnesAreGood() throws {
        #expect(try tokenizerFile().encode("ab") == [256])
        #expect(try tokenizerFile(("[\"a b\"]", "[[\"a\",\"b\"]]")).encode("ab") == [256])
        #expect(try Tokenizer(vocabulary: vocabulary(["ab"], merges: ["a b"])).encode("ab") == [256])
    }

    @Test(arguments: [
        // What is not supported is refused by name.
        ("\"type\":\"BPE\"", "\"type\":\"WordLevel\"", "model.type: found \"WordLevel\""),
        ("\"dropout\":null", "\"dropout\":0.1", "model.dropout: found 0.1"),
        ("\"dropout\":null", "\"continuing_subword_prefix\":\"##\"", "model.continuing_subword_prefix: found \"##\""),
        ("\"dropout\":null", "\"surprise\":1", "model: found unknown keys \"surprise\""),
        ("\"version\":\"1.0\"", "\"surprise\":1", "the file: found unknown keys \"surprise\""),
        ("\"normalizer\":null", "\"normalizer\":{\"type\":\"Nmt\"}", "normalizer.type: found \"Nmt\""),
        (
            "{\"type\":\"ByteLevel\",", "{\"type\":\"CharDelimiterSplit\",",
            "pre_tokenizer.type: found \"CharDelimiterSplit\""
        ),
        ("\"post_processor\":null", "\"post_processor\":{\"type\":\"Other\"}", "post_processor.type"),
        (
            "\"decoder\":{\"type\":\"ByteLevel\"}", "\"decoder\":{\"type\":\"WordPiece\"}",
            "decoder.type: found \"WordPiece\""
        ),
        ("\"decoder\":{\"type\":\"ByteLevel\"}", "\"decoder\":null", "decoder: found nothing"),
        ("\"unk_token\":null", "\"unk_token\":\"<unk>\"", "model.unk_token: found \"<unk>\""),
        ("\"trim_offsets\":true", "\"surprise\":1", "pre_tokenizer: found unknown keys"),
        // What is not what it should be.
        ("\"version\":\"1.0\"", "\"model\":1", "not valid JSON"),
        ("{VOCAB}", "{}", "found no pieces"), ("{VOCAB}", "3", "model.vocab: found a number"),
        ("{VOCAB}", "{\"a\":0}", "no piece for"), ("{VOCAB}", "{\"a\":-1}", "found -1"),
        ("{VOCAB}", "{\"a\":9000000000000}", "found 9000000000000"), ("{VOCAB}", "{\"a\":\"0\"}", "found a string"),
        ("{VOCAB}", "{\"a\":0,\"b\":0}", "each id once"), ("{VOCAB}", "{\"\":0}", "an empty piece"),
        ("[\"a b\"]", "3", "model.merges: found a number"), ("[\"a b\"]", "[3]", "model.merges[0]: found a number"),
        ("[\"a b\"]", "[\"ab\"]", "model.merges[0]: found \"ab\""), ("[\"a b\"]", "[\"a b c\"]", "with one space"),
        ("[\"a b\"]", "[\" b\"]", "model.merges[0]"), ("[\"a b\"]", "[\"a \"]", "model.merges[0]"),
        ("[\"a b\"]", "[\"\"]", "model.merges[0]"), ("[\"a b\"]", "[\"a zz\"]", "two pieces of the vocabulary"),
        ("[\"a b\"]", "[\"b a\"]", "join into one"), ("[\"a b\"]", "[\"a b\",\"a b\"]", "each pair once"),
        ("[\"a b\"]", "[[\"a\"]]", "two strings"), ("[\"a b\"]", "[[\"a\",1]]", "two strings"),
        ("[\"a b\"]", "[\"a 中\"]", "byte alphabet"),
        ("\"added_tokens\":[]", "\"added_tokens\":[1]", "added_tokens[0]: found a number"),
        ("\"added_tokens\":[]", "\"added_tokens\":[{\"id\":1}]", "added_tokens[0].content: found nothing"),
        ("\"added_tokens\":[]", "\"added_tokens\":[{\"content\":\"x\"}]", "added_tokens[0].id: found nothing"),
        ("\"added_tokens\":[]", "\"added_tokens\":[{\"id\":300,\"content\":\"\"}]", "an empty text"),
        ("\"added_tokens\":[]", "\"added_tokens\":[{\"id\":3,\"content\":\"new\"}]", "each id once"),
        ("\"added_tokens\":[]", "\"added_tokens\":[{\"id\":3,\"content\":\"ab\"}]", "found 3, expected 256"),
        ("\"added_tokens\":[]", "\"added_tokens\":[{\"id\":99999999,\"content\":\"x\"}]", "an id below"),
        ("\"added_tokens\":[]", "\"added_tokens\":[{\"id\":-5,\"content\":\"x\"}]", "an id below"),
        (
            "\"added_tokens\":[]",
            "\"added_tokens\":[{\"id\":300,\"content\":\"<x>\"},{\"id\":301,\"content\":\"<x>\"}]", "each piece once"
        ),
    ])
    func badTokenizerFiles(_ old: String, _ new: String, _ expected: String) throws {
        let error = try #require(message { try tokenizerFile((old, new)) })
        #expect(error.contains(expected), "\(error)")
    }

    @Test func unknownPatternIsShown() throws {
        let step =
            #"{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"\\w+|\\d"},"behavior":"Isolated"}]}"#
        let whole = #"{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true}"#
        let error = try #require(message { try tokenizerFile((whole, step)) })
        #expect(
            error.hasPrefix(#"t.json: pre_tokenizer.pretokenizers[0].pattern.Regex: found "\w+|\d", expected"#),
            "\(error)")
    }

    @Test func templateMustNameTokensThatExist() throws {
        let template = """
            "post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},\
            {"Sequence":{"id":"A","type_id":0}}],"pair":[],"special_tokens":{SPECIALS}}
            """
        let known = template.replacing("SPECIALS", with: #""<s>":{"id":"<s>","ids":[5],"tokens":["<s>"]}"#)
        #expect(try tokenizerFile(("\"post_processor\":null", known)).encodePrompt("ab") == [5, 256])
        let absent = known.replacing("[5]", with: "[5000]")
        #expect(message { try tokenizerFile(("\"post_processor\":null", absent)) }?.contains("token 5000") == true)
        let empty = template.replacing("SPECIALS", with: "")
        #expect(
            message { try tokenizerFile(("\"post_processor\":null", empty)) }?.contains("<s>: found no ids") == true)
    }

    /// Small files that ask for what no memory holds.
    @Test func whatGrowsIsLimited() throws {
        let step = #"{"type":"Replace","pattern":{"String":"a"},"content":"aaaaaaaaaa"}"#
        func steps(_ count: Int) -> String { Array(repeating: step, count: count).joined(separator: ",") }
        func normalizer(_ count: Int) -> (String, String) {
            ("\"normalizer\":null", #""normalizer":{"type":"Sequence","normalizers":[\#(steps(count))]}"#)
        }
        #expect(try tokenizerFile(normalizer(2)).encode("a").count == 100)
        let error = try #require(message { try tokenizerFile(normalizer(12)) })
        #expect(error.contains("normalizer.normalizers[3].content: found steps"), "\(error)")
        let decoder = (
            "\"decoder\":{\"type\":\"ByteLevel\"}", "\"decoder\":{\"type\":\"Sequence\",\"decoders\":[\(steps(12))]}"
        )
        let whole = #"{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true}"#
        let plain = (whole, #"{"type":"Digits"}"#)
        #expect(
            message { try tokenizerFile(decoder, plain) }?.contains("decoder.decoders[3].content: found steps") == true)
        let part = #"{"SpecialToken":{"id":"<s>","type_id":0}},"#
        let template = """
            "post_processor":{"type":"TemplateProcessing","single":[\(String(repeating: part, count: 40))\
            {"Sequence":{"id":"A","type_id":0}}],"pair":[],"special_tokens":{"<s>":{"id":"<s>","ids":\
            [\(Array(repeating: "5", count: 40).joined(separator: ","))],"tokens":[]}}}
            """
        #expect(
            message { try tokenizerFile(("\"post_processor\":null", template)) }?.contains("more than 1000") == true)
    }

    @Test func badVocabularies() {
        func expect(_ expected: String, _ change: (inout Vocabulary) -> Void) {
            var bad = vocabulary(["ab", "<s>"], types: [1, 3], merges: ["a b"])
            change(&bad)
            let error = message { try Tokenizer(vocabulary: bad) }
            #expect(error?.contains(expected) == true, "\(error ?? "no error")")
        }
        expect("tokenizer.ggml.model: found \"rwkv\"") { $0.model = "rwkv" }
        expect("tokenizer.ggml.scores: found 0 entries") { $0.model = "llama" }
        expect("tokenizer.ggml.pre: found \"dunno\"") { $0.preTokenizer = "dunno" }
        // A file without the name is read as the oldest pattern has it, unless its pieces speak against that.
        expect("tokenizer.ggml.pre: found no pre-tokenizer named, and pieces such as \"(a\"") {
            ($0.preTokenizer, $0.tokens) = (nil, TextList(byteAlphabet + ["(a", "<s>"]))
        }
        let old = try? Tokenizer(vocabulary: vocabulary(["ab"], merges: ["a b"], pre: nil))
        #expect(old?.encode("ab") == [256])
        expect("tokenizer.ggml.pre: found \"default\"") { $0.preTokenizer = "default" }
        expect("add_space_prefix") { $0.addsSpacePrefix = true }
        expect("found no pieces") { ($0.tokens, $0.types) = ([], []) }
        expect("257 types, expected 258") { $0.types.removeLast() }
        expect("token_type[257]: found 6") { $0.types[257] = 6 }
        expect("token_type[0]: found -3") { $0.types[0] = -3 }
        expect("tokens[257]: found \"ab\", which is token 256") { $0.replace(257, "ab") }
        expect("tokens[257]: found an empty piece") { $0.replace(257, "") }
        expect("no piece for 1 bytes") { $0.replace(65, "<x>") }
        expect("merges[1]: found \"a b\", expected each pair once") { $0.merges.append("a b".utf8) }
        expect("merges[1]: found \"a nothing\"") { $0.merges.append("a nothing".utf8) }
        expect("merges[1]: found \"b a\"") { $0.merges.append("b a".utf8) }
        expect("merges[1]: found \"\"") { $0.merges.append("".utf8) }
        expect("bos_token_id: found 258") { $0.beginningOfText = 258 }
        expect("eos_token_id: found -1") { $0.endOfText = -1 }
        expect("eot_token_id: found 9000") { $0.endOfTurn = 9000 }
        expect("bos_token_id: found nothing") { $0.addsBeginningOfText = true }
    }

    @Test func rareBytesMayBeMissing() throws {
        var rare = vocabulary()
        rare.replace(0xFF, "<x>")
        let tokenizer = try Tokenizer(vocabulary: rare)
        #expect(tokenizer.encode(utf8: [0x41, 0xFF, 0x42]) == tokenizer.encode("AB"))
    }
}
