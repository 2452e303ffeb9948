import Foundation
import Testing
import TinyTestSupport

@testable import TinyRetrieval

@Suite("Folders of texts") struct TextFolderTests {
    @Test func whatIsFound() throws {
        let folder = TemporaryFolder()
        folder.makeFolder("b")
        folder.makeFolder(".hidden")
        folder.write("b/two.md", "2")
        folder.write("a.txt", "one")
        folder.write("猫.txt", "three")
        folder.write(".hidden/x.txt", "no")
        folder.write(".y.txt", "no")
        let files = FileManager.default
        try files.createSymbolicLink(atPath: folder.path + "/b/loop", withDestinationPath: folder.path)
        try files.createSymbolicLink(atPath: folder.path + "/link.txt", withDestinationPath: "a.txt")
        try files.createSymbolicLink(atPath: folder.path + "/gone.txt", withDestinationPath: "nowhere")
        #expect(mkfifo(folder.path + "/pipe", 0o644) == 0)
        let listing = try TextFolder(folder.path)
        #expect(listing.entries.map(\.path) == ["a.txt", "b/two.md", "link.txt", "猫.txt"])
        #expect(listing.entries.map(\.stamp.size) == [3, 1, 3, 5])
        #expect(
            listing.skipped == [
                SkippedFile(file: "b/loop", reason: "is a link to a folder, which is not followed"),
                SkippedFile(file: "gone.txt", reason: "is a link that leads nowhere"),
                SkippedFile(file: "pipe", reason: "is not a regular file"),
            ])
    }

    @Test func noFolder() throws {
        let folder = TemporaryFolder()
        let file = folder.write("file", "text")
        for (path, word) in [(folder.path + "/nowhere", "No such file"), (file, "Not a directory")] {
            let error = #expect(throws: RetrievalError.self) { try TextFolder(path) }
            #expect(error?.description.contains(path) == true && error?.description.contains(word) == true)
        }
    }

    #if os(Linux)
        @Test func nameThatIsNoText() throws {
            let folder = TemporaryFolder()
            let file = fopen(Array((folder.path + "/a").utf8).map(CChar.init) + [-1, 0], "w")
            fclose(file)
            let listing = try TextFolder(folder.path)
            #expect(listing.entries.isEmpty && listing.skipped.map(\.reason) == ["its name is not valid UTF-8"])
        }
    #endif

    @Test func whatIsNoText() throws {
        let folder = TemporaryFolder()
        func reason(_ bytes: [UInt8]) -> String? {
            if case .failure(let error) = TextFile.read(folder.write("file", bytes)) { error.reason } else { nil }
        }
        #expect(reason([]) == nil && reason(Array("你好".utf8)) == nil)
        #expect(reason([65, 66, 0]) == "is not text: byte 2 is zero")
        #expect(reason(Array("ab好".utf8.dropLast())) == "is not valid UTF-8, at byte 2")
        #expect(reason([0x61, 0xFF]) == "is not valid UTF-8, at byte 1")
        folder.extend("file", to: TextFile.largest + 1)
        guard case .failure(let large) = TextFile.read(folder.path + "/file") else {
            throw RetrievalError.busy(path: "")
        }
        #expect(large.reason.contains("larger than 32 MB"))
        guard case .failure(let missing) = TextFile.read(folder.path + "/x") else {
            throw RetrievalError.busy(path: "")
        }
        #expect(missing.reason.contains("No such file"))
    }
}
