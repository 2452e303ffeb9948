import Testing
import TinyLoader
import TinyTestSupport

@Suite struct BadFileTests {
    let folder = TemporaryFolder()

    /// What the project has promised to refuse, counted.
    @Test func thereAreAtLeastAHundred() {
        let cut = GoodGGUF.file.written().offset(of: "data") + BadSafetensors.good.written().count
        let count = BadGGUF.all.count + BadSafetensors.all.count + BadCheckpoint.all.count
        #expect(count >= 200, "\(count) bad files, and \(cut) that are cut short")
        let labels = Set(BadGGUF.all.map(\.label) + BadSafetensors.all.map { "s " + $0.label })
        #expect(labels.count == BadGGUF.all.count + BadSafetensors.all.count, "a bad file stands in the tables twice")
    }

    @Test(arguments: BadGGUF.all) func gguf(_ bad: BadFile) {
        let path = folder.write("bad.gguf", bad.bytes)
        expectRefusal(of: path, kinds: bad.kinds, subject: bad.subject, byte: bad.byte, bad.label) {
            _ = try GGUF(path: $0)
        }
    }

    @Test(arguments: BadSafetensors.all) func safetensors(_ bad: BadFile) {
        let path = folder.write("bad.safetensors", bad.bytes)
        expectRefusal(of: path, kinds: bad.kinds, subject: bad.subject, byte: bad.byte, bad.label) {
            _ = try Safetensors(path: $0)
        }
    }

    /// The names of the types stand in the messages: a user must learn what the file holds.
    @Test(arguments: zip([9, 16, 29, 34, 40] as [UInt32], ["Q8_1", "IQ2_XXS", "IQ1_M", "TQ1_0", "NVFP4"]))
    func unsupportedTypeIsNamed(_ type: UInt32, _ name: String) {
        let path = folder.write("bad.gguf", GoodGGUF.file.written().spoiling("matrix.type", with: type))
        let error = #expect(throws: FormatError.self) { try GGUF(path: path) }
        #expect(
            error?.reason.contains(name) == true && error?.reason.contains("Q4_K") == true,
            "\(String(describing: error))")
    }

    @Test func everyCutOfAGGUFIsRefused() {
        let written = GoodGGUF.file.written()
        let head = written.offset(of: "data")
        for length in 0..<head {
            let path = folder.write("cut.gguf", Array(written.bytes[..<length]))
            let kinds: Set<FormatError.Kind> = length < 4 ? [.unknownFormat] : [.truncated, .outOfRange]
            expectRefusal(of: path, kinds: kinds, "cut to \(length) of \(head)") { _ = try GGUF(path: $0) }
        }
        // 24 bytes, 32, 68 and 16, each begun at a multiple of 32.
        #expect(written.bytes.count - head == 160 + 16)
    }

    /// A cut before a field is reported for the key or tensor that the field belongs to, and for a byte before the cut.
    @Test func aCutNamesWhatItHit() {
        let written = GoodGGUF.file.written()
        for field in written.fields where field.name != "magic" && field.name != "data" {
            let path = folder.write("cut.gguf", Array(written.bytes[..<field.range.lowerBound]))
            let error = #expect(throws: FormatError.self) { try GGUF(path: path) }
            #expect(
                error?.byte.map { $0 <= field.range.lowerBound } == true, "\(field.name): \(String(describing: error))")
            let subject = field.name.split(separator: ".").first.map(String.init)
            // Before its own name is read an entry has none; and a count may already rule out what follows.
            if field.name.contains(".") && !field.name.hasSuffix("length") && error?.kind == .truncated {
                #expect(error?.name == subject, "\(field.name): \(String(describing: error))")
            }
        }
    }

    @Test func everyCutOfASafetensorsIsRefused() {
        let bytes = BadSafetensors.good.written()
        for length in 0..<bytes.count {
            let path = folder.write("cut.safetensors", Array(bytes[..<length]))
            expectRefusal(of: path, kinds: [.truncated, .outOfRange, .overlap], "cut to \(length)") {
                _ = try Safetensors(path: $0)
            }
        }
    }

    /// The format allows a header of 100 MB; the file is nearly all hole, so that its length does not rule it out first.
    @Test func aHeaderAboveTheFormatsLimit() {
        let path = folder.write("huge.safetensors", SafetensorsBytes.file(header: "{}", length: 100_000_001))
        folder.extend("huge.safetensors", to: 200_000_000)
        expectRefusal(of: path, kinds: [.outOfRange], byte: 0) { _ = try Safetensors(path: $0) }
    }
}
