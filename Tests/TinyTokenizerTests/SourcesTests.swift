import Testing
import TinyJSON

@testable import TinyTokenizer

/// One vocabulary from several kinds of files: the same tokens.
@Suite struct SourcesTests {
    /// GGUF holds a SentencePiece model as arrays.
    @Test(arguments: TokenizerFixture.models)
    func modelsInGGUF(_ name: String) throws {
        let fixture = try TokenizerFixture(name)
        let model = try TokenizerFixture.model(name)
        var vocabulary = Vocabulary(
            file: "v.gguf", model: model.isBytePair ? "llama" : "t5", preTokenizer: "default",
            tokens: TextList(model.pieces.map(\.text)), types: model.pieces.map(\.type), merges: [], beginningOfText: 1,
            endOfText: 2, addsSpacePrefix: model.addsSpace)
        vocabulary.scores = model.pieces.map(\.score)
        vocabulary.removesExtraSpaces = model.removesExtraSpaces
        vocabulary.characterMap = model.characterMap
        let tokenizer = try Tokenizer(vocabulary: vocabulary)
        for item in fixture.cases { #expect(tokenizer.encode(item.text) == item.plain, "\(quoted(item.text))") }
        #expect(tokenizer.opening == (model.isBytePair ? [1] : []))
        #expect(tokenizer.closing == (model.isBytePair ? [] : [2]))
        #expect(tokenizer.endOfText.contains(2))
        for item in fixture.decodes {
            #expect(try tokenizer.decode(item.ids, skipSpecial: true) == item.skipped)
        }
    }

    /// Converters write the user's pieces with spaces, where the model's own file has marks: runs of spaces are found.
    @Test func piecesOfSpacesInGGUF() throws {
        var vocabulary = Vocabulary(
            file: "v.gguf", model: "llama", preTokenizer: "default",
            tokens: TextList(["<unk>", "<s>", "</s>", "\u{2581}", "a", "  ", "    ", "\n", "\u{2581}a"]),
            types: [2, 3, 3, 1, 1, 4, 4, 4, 1], merges: [], beginningOfText: 1, endOfText: 2, addsSpacePrefix: false)
        vocabulary.scores = [0, 0, 0, -3, -4, -1000, -1000, -1000, -2]
        let tokenizer = try Tokenizer(vocabulary: vocabulary)
        let cases: [(String, [Int])] = [
            ("a\n    a", [4, 7, 6, 4]), ("  ", [5]), ("       a", [6, 5, 8]), (" a", [8]), ("a     ", [4, 6, 3]),
        ]
        for (text, tokens) in cases {
            #expect(tokenizer.encode(text) == tokens, "\(quoted(text))")
            #expect(try tokenizer.decode(tokens) == text)
        }
    }

    @Test(arguments: [("word-pieces", true), ("word-pieces-cased", false)])
    func wordPieces(_ name: String, _ lowercases: Bool) throws {
        let fixture = try TokenizerFixture(name)
        let model = fixture.root["tokenizer"]!.object!["model"]!.object!["vocab"]!.table!
        let texts = zip(model.texts.texts, model.integers).sorted { $0.1 < $1.1 }.map(\.0)
        let list = Array((texts.joined(separator: "\n") + "\n").utf8)
        let fromList = try Tokenizer(wordList: list, lowercases: lowercases, file: "vocab.txt")
        // GGUF marks beginnings of words rather than what continues them.
        let marked = texts.map { text in
            if text.hasPrefix("[") && text.hasSuffix("]") && text.count > 2 { return text }
            return text.hasPrefix("##") ? String(text.dropFirst(2)) : "\u{2581}" + text
        }
        let fromGGUF = try Tokenizer(
            vocabulary: Vocabulary(
                file: "v.gguf", model: "bert", preTokenizer: nil, tokens: TextList(marked), types: [], merges: []))
        for tokenizer in [fromList, fromGGUF] {
            for item in fixture.cases {
                #expect(tokenizer.encode(item.text) == item.plain, "\(quoted(item.text))")
                #expect(tokenizer.encode(item.text, special: true) == item.special, "\(quoted(item.text))")
            }
            #expect(try tokenizer.encodeFramed("Hello there") == fixture.framed("framed"))
            #expect(try tokenizer.encodeFramed("Hello", "there x") == fixture.framed("pair"))
        }
    }

    @Test func specialTokensOfModels() throws {
        let tokenizer = try TokenizerFixture("pairs-bytes").tokenizer
        let (begin, end) = (try #require(tokenizer.id(of: "<s>")), try #require(tokenizer.id(of: "</s>")))
        #expect(tokenizer.encodePrompt("a") == [begin] + tokenizer.encode("a"))
        #expect(try tokenizer.encodeFramed("a").tokens == [begin] + tokenizer.encode("a") + [end])
        #expect(tokenizer.encode("<s>a", special: true) == [begin] + tokenizer.encode("a"))
        #expect(!tokenizer.encode("<s>a</s><unk><0x41>").contains { tokenizer.isSpecial($0) })
        #expect(tokenizer.endOfText == [end])
        #expect(try tokenizer.decode(tokenizer.encode("<s>two  spaces </s>", special: true)) == "<s>two  spaces </s>")
    }

    @Test func tokensThatOtherFilesAdd() throws {
        let model = try TokenizerFixture.model("pairs-bytes")
        let count = model.pieces.count
        let added = [
            AddedToken(id: count, text: "<turn>", isSpecial: true),
            AddedToken(id: count - 1, text: "<swap>", isSpecial: true),
        ]
        let tokenizer = try Tokenizer(sentencePiece: model, added: added, addsBeginning: false, addsEnd: false)
        #expect(tokenizer.count == count + 1)
        #expect(tokenizer.encode("<turn><swap>", special: true) == [count, count - 1])
        #expect(!tokenizer.encode("<turn><swap>").contains { $0 >= count - 1 })
        #expect(try tokenizer.piece(count - 1) == "<swap>")
        #expect(
            message {
                try Tokenizer(
                    sentencePiece: model, added: [AddedToken(id: -1, text: "x", isSpecial: true)], addsBeginning: false,
                    addsEnd: false)
            }?.contains("id -1") == true)
    }

    /// Bytes that are cut or changed anywhere must be refused or read, and nothing else.
    @Test func brokenModelsDoNotTrap() throws {
        let bytes = try Array(TokenizerFixture.bytes("unigrams-mapped.model"))
        for cut in stride(from: 0, to: bytes.count, by: 37) {
            _ = try? SentencePieceVocabulary(modelFile: Array(bytes[..<cut]), file: "m")
        }
        var state: UInt64 = 5
        for _ in 0..<60 {
            var changed = bytes
            for _ in 0..<8 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                changed[Int(state >> 33) % changed.count] = UInt8(truncatingIfNeeded: state >> 24)
            }
            if let model = try? SentencePieceVocabulary(modelFile: changed, file: "m"),
                let tokenizer = try? Tokenizer(sentencePiece: model, addsBeginning: true, addsEnd: true)
            {
                let tokens = tokenizer.encode("Caf\u{E9} \u{FF21}bc  x\u{301}\u{2460} \u{1100}\u{1161}")
                _ = try? tokenizer.decode(tokens)
            }
        }
    }

    @Test func whatIsWrongIsNamed() throws {
        #expect(
            message { try SentencePieceVocabulary(modelFile: [], file: "m") }?.contains("pieces: found none") == true)
        #expect(
            message { try SentencePieceVocabulary(modelFile: [0x0A, 0x7F], file: "m") }
                == "m: byte 2: found 127 bytes in field 1, expected at most 0, which are left")
        let ranks = { (text: String) in try RankFile(Array(text.utf8), file: "r") }
        #expect(message { try ranks("") }?.contains("line 1") == true)
        #expect(message { try ranks("IQ== 0\nIg== x\n") }?.contains("line 2: found \"Ig== x\"") == true)
        #expect(message { try ranks("IQ== 0\nIg= 1\n") }?.contains("base 64") == true)
        #expect(message { try ranks("IQ== 0\nIg== 0\n") }?.contains("expected rank 1") == true)
        #expect(try ranks("IQ== 0\nIQ== 1\nIg== 2\n").pieces == ["!", "\""])
        #expect(
            message {
                try Tokenizer(ranks: ranks("IQ== 0\n"), convention: #require(RankConvention(fileName: "qwen.tiktoken")))
            }?.contains("no piece for") == true)
        #expect(RankConvention(fileName: "other.tiktoken") == nil)
        let list = { (text: String) in
            try Tokenizer(wordList: Array(text.utf8), lowercases: true, file: "vocab.txt")
        }
        #expect(message { try list("a\nb\n") }?.contains("found no [UNK]") == true)
        #expect(message { try list("[UNK]\n[CLS]\n[SEP]\na\na\n") }?.contains("each piece once") == true)
        #expect(message { try Tokenizer(wordList: [0xFF], lowercases: true, file: "v") }?.contains("line 1") == true)
    }
}
