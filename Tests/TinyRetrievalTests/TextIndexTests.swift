#if Retrieval
    import Foundation
    import GRDB
    import Synchronization
    import Testing
    import TinyTestSupport

    @testable import TinyRetrieval

    /// Remembers what was embedded, but for the text that models are known by.
    private final class Seen: Sendable {
        private let texts = Mutex<[String]>([])
        func add(_ more: [String]) { texts.withLock { $0 += more.filter { !$0.hasPrefix("The quick brown fox") } } }
        func take() -> [String] {
            texts.withLock { texts in
                defer { texts = [] }; return texts.sorted()
            }
        }
    }

    private func old(_ path: String) throws {
        try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSince1970: 1e9)], ofItemAtPath: path)
    }

    @Suite("Index of texts", .timeLimit(.minutes(1))) struct TextIndexTests {
        private let folder = TemporaryFolder()
        private let seen = Seen()
        private var embedder: FakeEmbedder { FakeEmbedder(onTexts: { [seen] in seen.add($0) }) }
        private var path: String { TextIndex.path(in: folder.path) }

        private func write(_ name: String, _ text: String) throws { try old(folder.write(name, text)) }

        @discardableResult private func update() throws -> TextIndex.Update {
            try TextIndex(at: path, creates: true).update(from: folder.path, with: embedder)
        }

        private func search(_ query: String, top: Int = 5) throws -> [Match] {
            try TextIndex(at: path).search(query, top: top, with: embedder, threads: 1)
        }

        @Test func findsWhatIsThere() throws {
            folder.makeFolder("animals")
            try write("animals/cats.md", "# Cats\n\nCats eat fish and mice.\n\n# More\n\nThey sleep on the warm sofa.")
            try write("plants.txt", "Trees grow slowly in the shade.")
            try write("中文.txt", "猫喜欢吃鱼。")
            let update = try update()
            #expect(update.files == 3 && update.passages == 4 && update.embeddedPassages == 4)
            let found = try search("who eats fish and mice")
            #expect(found.count == 4 && found.map(\.score) == found.map(\.score).sorted(by: >))
            #expect(found[0].file == "animals/cats.md" && found[0].passage.lines == 1...3)
            #expect(found[0].passage.text == "# Cats\n\nCats eat fish and mice.")
            #expect(found[0].passage.bytes == 0..<31)
            #expect(try search("trees in the shade", top: 1).map(\.file) == ["plants.txt"])
            let chinese = try search("猫吃什么鱼", top: 1)
            #expect(chinese.map(\.file) == ["中文.txt"] && chinese.map(\.passage.text) == ["猫喜欢吃鱼。"])
            // The same text is as close as can be.
            #expect(abs(try search("Trees grow slowly in the shade.", top: 1)[0].score - 1) < 1e-5)
        }

        @Test func onlyWhatChangedIsReadAgain() throws {
            try write("a.txt", "One two three four five six.\n\nSeven eight nine ten eleven twelve.")
            try write("b.txt", "Thirteen fourteen.")
            #expect(try update().embeddedPassages == 3)
            _ = seen.take()
            var again = try update()
            #expect(again.unchangedFiles == 2 && again.updatedFiles == 0 && seen.take() == [])
            // One paragraph changed; one file renamed; one gone, one new.
            try write("a.txt", "One two three four five six.\n\nSeven eight nine ten eleven TWENTY-ONE.")
            try FileManager.default.moveItem(atPath: folder.path + "/b.txt", toPath: folder.path + "/c.txt")
            again = try update()
            #expect(seen.take() == ["Seven eight nine ten eleven TWENTY-ONE."])
            #expect(again.files == 2 && again.passages == 3 && again.removedFiles == 1 && again.embeddedPassages == 1)
            #expect(try search("thirteen", top: 1).map(\.file) == ["c.txt"])
            #expect(try search("twelve", top: 9).allSatisfy { !$0.passage.text.contains("twelve") })
            // The same size and another text: the time tells; and what is written just now is looked at again.
            folder.write("c.txt", "Thirteen FOURTEEN.")
            #expect(try update().embeddedPassages == 1)
            folder.write("c.txt", "Thirteen fifteen!!")
            #expect(try update().embeddedPassages == 1)
            #expect(try search("fifteen", top: 1)[0].passage.text == "Thirteen fifteen!!")
            // What is no text any more is not found any more.
            try write("c.txt", "Thirteen \0")
            again = try update()
            #expect(again.skipped.map(\.file) == ["c.txt"] && again.files == 1 && again.removedFiles == 1)
        }

        /// The embedder fails in the third file: two are kept, and the next run does only the rest.
        @Test func interruptedUpdatesGoOn() throws {
            for name in ["a", "b", "c", "d"] { try write(name, "text \(name)") }
            struct Stop: Error {}
            let stopping = FakeEmbedder(onTexts: { if $0.contains("text c") { throw Stop() } })
            #expect(throws: Stop.self) {
                try TextIndex(at: path, creates: true).update(from: folder.path, with: stopping)
            }
            #expect(try search("text", top: 9).map(\.file).sorted() == ["a", "b"])
            _ = seen.take()
            #expect(try update().unchangedFiles == 2)
            #expect(seen.take().filter { $0.hasPrefix("text ") } == ["text c", "text d"])
        }

        @Test func filesThatVanish() throws {
            for name in ["a", "b"] { try write(name, "text \(name)") }
            let update = try TextIndex(at: path, creates: true).update(from: folder.path, with: embedder) { progress in
                #expect(progress.total == 2)
                if progress.file == "a" { unlink(folder.path + "/b") }
            }
            #expect(update.files == 1 && update.skipped.map(\.file) == ["b"])
            #expect(update.skipped[0].reason.contains("No such file"))
        }

        @Test func emptyFoldersAndFiles() throws {
            #expect(try update() == TextIndex.Update())
            #expect(try search("anything") == [])
            try write("empty", "")
            #expect(try update().files == 1)
            #expect(try update().unchangedFiles == 1)
            #expect(try search("anything") == [])
        }

        // MARK: Errors

        private func fails(
            _ expected: [String], _ body: () throws -> Void, _ location: SourceLocation = #_sourceLocation
        ) {
            let error = #expect(throws: RetrievalError.self, sourceLocation: location) { try body() }
            for text in expected {
                #expect(
                    error?.description.contains(text) == true, "\(error?.description ?? "")", sourceLocation: location)
            }
        }

        @Test func anotherModel() throws {
            try write("a", "text")
            try update()
            var other = FakeEmbedder(name: "others")
            other.turn = 3
            for wrong in [other, FakeEmbedder(name: "others", width: 32)] {
                fails([path, "words", "others", "64", "\(wrong.width)"]) {
                    _ = try TextIndex(at: path).search("text", with: wrong)
                }
                fails(["words", "others"]) { try TextIndex(at: path).update(from: folder.path, with: wrong) }
            }
            // Another name is no other model.
            #expect(try TextIndex(at: path).search("text", with: FakeEmbedder(name: "moved")).count == 1)
        }

        @Test func noIndex() throws {
            fails([path, "no index"]) { _ = try TextIndex(at: path) }
            folder.makeFolder(".tinygpt")
            folder.write(".tinygpt/index.sqlite", "")  // as SQLite leaves it before the first transaction
            fails([path, "no index"]) { _ = try TextIndex(at: path) }
            try write("a", "text")
            #expect(try update().files == 1)
        }

        @Test func notAnIndex() throws {
            let text = folder.write("text", String(repeating: "no database ", count: 100))
            fails([text, "no index of passages"]) { _ = try TextIndex(at: text, creates: true) }
            let other = folder.path + "/other.sqlite"
            try DatabaseQueue(path: other).write { try $0.execute(sql: "CREATE TABLE mine (x)") }
            fails([other, "another program's"]) { _ = try TextIndex(at: other, creates: true) }
            #expect(try DatabaseQueue(path: other).read { try $0.tableExists("model") } == false)
            fails(["text", "cannot be made", "Not a directory"]) { _ = try TextIndex(at: text + "/x/y", creates: true) }
            fails([folder.path]) { _ = try TextIndex(at: folder.path, creates: true) }
        }

        private func change(_ sql: String) throws { try DatabaseQueue(path: path).write { try $0.execute(sql: sql) } }

        @Test func newerIndex() throws {
            try update()
            try change("PRAGMA user_version = 9")
            fails([path, "version 9", "up to 1"]) { _ = try TextIndex(at: path) }
        }

        @Test(arguments: [
            ("UPDATE vector SET numbers = zeroblob(7)", "7 bytes, not 256"),
            ("UPDATE vector SET numbers = 'text'", "no vector"),
            ("UPDATE vector SET numbers = replace(hex(zeroblob(128)), '00', '') || x'0000807F'", "no vector"),
            ("UPDATE vector SET numbers = CAST(x'0000807F' || zeroblob(252) AS BLOB)", "no numbers"),
            ("PRAGMA foreign_keys = OFF; DELETE FROM passage", "no text"),
            ("UPDATE passage SET text = x'00'", "no text"),
            ("UPDATE passage SET first_line = 'x'", "no integer"),
            ("UPDATE passage SET first_line = 5, last_line = 4", "ends before"),
            ("DROP TABLE vector", "no such table"),
            ("UPDATE model SET width = -1", "-1 numbers"),
            ("UPDATE model SET sample = x'00'", "no vector of 64"),
        ])
        func damagedIndex(_ sql: String, _ reason: String) throws {
            try write("a", "text")
            try update()
            try DatabaseQueue(path: path).writeWithoutTransaction { try $0.execute(sql: sql) }
            fails([path, "damaged", reason]) { _ = try search("text") }
        }

        /// Bytes changed anywhere: an error or an answer, never a trap.
        @Test func randomDamage() throws {
            for index in 0..<8 { try write("file\(index)", "text number \(index) of some words in a row. 猫。") }
            try update()
            let good = readFile(path)
            var random = SplitMix64(seed: 3)
            for round in 0..<60 {
                var bad = good
                for _ in 0..<20 {
                    bad[Int(random.next() % UInt64(bad.count))] = UInt8(truncatingIfNeeded: random.next())
                }
                if round % 4 == 0 { bad = Array(good.prefix(Int(random.next() % UInt64(good.count)))) }
                folder.write(".tinygpt/index.sqlite", bad)
                do { _ = try search("number 3") } catch { #expect(error is RetrievalError) }
                do { try update() } catch { #expect(error is RetrievalError) }
            }
        }

        @Test func oneUpdateAtATime() throws {
            try write("a", "text")
            let index = try TextIndex(at: path, creates: true)
            var inner = 0
            try index.update(from: folder.path, with: embedder) { _ in
                inner += 1
                fails([path, "another process"]) { try update() }
            }
            #expect(inner > 0)
            #expect(try update().files == 1)
        }

        @Test func badVectors() throws {
            try write("a", "text")
            struct Bad: TextEmbedder {
                let vectors: [[Float]]
                var name: String { "bad" }
                var tokenLimit: Int { 9 }
                func tokenCount(of text: String) -> Int { 1 }
                func vectors(of texts: [String], for use: TextUse) throws -> [[Float]] { vectors }
            }
            for (vectors, reason) in [
                ([], "0 vectors for 1"), ([[]], "0"), ([[.nan, 1]], "length nan"), ([[0, 0]], "length 0"),
            ] as [([[Float]], String)] {
                fails(["bad", reason]) {
                    try TextIndex(at: path, creates: true).update(from: folder.path, with: Bad(vectors: vectors))
                }
            }
        }

        @Test func badQueries() throws {
            try update()
            fails(["top is 0"]) { _ = try search("text", top: 0) }
            fails(["query", "empty"]) { _ = try search(" \n\u{3000}") }
        }

        @Test func prompt() throws {
            try write("a.txt", "The code is 4711.")
            try write("b.txt", "Something else.")
            try update()
            let prompt = try search("What is the code?").prompt(for: "What is the code?")
            #expect(prompt.hasSuffix("[a.txt, line 1]\nThe code is 4711.\n\nQuestion: What is the code?\nAnswer:"))
            #expect(prompt.contains("[b.txt, line 1]\nSomething else.\n\n"))
        }
    }
#endif
