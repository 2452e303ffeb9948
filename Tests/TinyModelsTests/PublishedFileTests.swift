import Foundation
import Testing
import TinyLayers
import TinyLoader
import TinyModels
import TinyTestSupport

/// The configurations of `Tests/Fixtures/published`, as their makers wrote them: every key is read or known to be
/// harmless.
@Suite("Published configuration files")
struct PublishedFileTests {
    /// Makers' own formats name neither a type nor a class, and come with no tensors in a format that is read here.
    static let files = FileSystem.names(in: Fixtures.path("published"))
        .filter { $0.hasSuffix(".json") && !$0.hasSuffix("-vendor.json") }.sorted()

    @Test(arguments: files) func everyKeyIsAccountedFor(_ file: String) throws {
        let data = try #require(FileManager.default.contents(atPath: Fixtures.path("published/" + file)))
        let (spec, unread) = try readSpec(String(decoding: data, as: UTF8.self))
        #expect(unread == [])
        #expect(!spec.layers.isEmpty && spec.width > 0)
    }

    @Test func filesAreFound() { #expect(Self.files.count >= 100) }
}
